// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.table;

/** Value of the {@code frontends} map. */
public sealed interface FrontendValue {
  /**
   * Connections are balanced by the service at this index.
   *
   * @param index into {@code services}, 0 or more
   */
  record ToService(int index) implements FrontendValue {}

  /** Connections are refused: no Service has this port. */
  record Refuse() implements FrontendValue {}

  /** The address is a node's: ports that it does not name itself are looked up as node ports. */
  record NodeAddress() implements FrontendValue {}

  /**
   * None of these: bytes that this version cannot interpret.
   *
   * @param service the raw field
   * @param flags the raw field
   */
  record Foreign(int service, int flags) implements FrontendValue {}

  /** The only value of its kind. */
  Refuse REFUSE = new Refuse();

  /** The only value of its kind. */
  NodeAddress NODE_ADDRESS = new NodeAddress();
}
