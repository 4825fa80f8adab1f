// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import java.util.List;

/**
 * A list of nodes.
 *
 * @param items never changed after construction
 */
record Sequence(List<Node> items, int line) implements Node {
  @Override
  public String what() {
    return "a list";
  }
}
