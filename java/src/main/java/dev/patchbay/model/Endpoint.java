// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.model;

/**
 * One endpoint of an EndpointSlice.
 *
 * @param address its address
 * @param ready {@code conditions.ready}; true where unknown
 * @param serving {@code conditions.serving}; where unknown, what the source makes of that
 * @param terminating {@code conditions.terminating}
 * @param nodeName the node it runs on; empty where unknown
 * @param target the name of the Pod behind it, in the Service's namespace; empty where unknown
 * @param hints for whom it is meant
 */
public record Endpoint(
    IpAddress address,
    boolean ready,
    boolean serving,
    boolean terminating,
    String nodeName,
    String target,
    Hints hints) {

  /** An endpoint without hints. */
  public Endpoint(
      IpAddress address,
      boolean ready,
      boolean serving,
      boolean terminating,
      String nodeName,
      String target) {
    this(address, ready, serving, terminating, nodeName, target, Hints.NONE);
  }

  public Endpoint withHints(Hints other) {
    return new Endpoint(address, ready, serving, terminating, nodeName, target, other);
  }

  /** Whether it runs on the node of this name. */
  public boolean isOn(String node) {
    return !nodeName.isEmpty() && nodeName.equals(node);
  }
}
