// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.inspect;

/**
 * Something in the maps that must not be.
 *
 * @param where the frontend, or the service by index
 * @param what what is wrong with it
 */
public record Violation(String where, String what) {
  @Override
  public String toString() {
    return where + ": " + what;
  }
}
