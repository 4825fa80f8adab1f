// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.health;

/**
 * How one check stands.
 *
 * @param name of the check
 * @param gates whether the node is not healthy while it fails
 * @param status how it stands
 * @param sinceMillis from when on, in milliseconds since the epoch
 * @param detail what was found, for people; may be empty
 */
public record Result(String name, boolean gates, Status status, long sinceMillis, String detail) {
  /** Whether it makes the agent unhealthy. */
  public boolean red() {
    return gates && status.red();
  }
}
