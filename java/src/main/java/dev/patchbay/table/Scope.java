// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.table;

/** Where a frontend is reachable from; {@code enum pb_scope}. */
public enum Scope {
  /** Sockets on this node, at connect time. */
  INTERNAL,
  /** Packets that enter the node from outside. */
  EXTERNAL
}
