// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

/**
 * Where an object was read.
 *
 * @param file the name below the manifest directory
 * @param document its number in the file, from 1
 */
record Origin(String file, int document) {
  @Override
  public String toString() {
    return file + ", document " + document;
  }
}
