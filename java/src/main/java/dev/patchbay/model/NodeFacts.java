// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.model;

import java.util.List;

/**
 * What compilation must know about the node it compiles for, and about others.
 *
 * @param nodeName the node's name
 * @param zone its label {@code topology.kubernetes.io/zone}; empty where unknown
 * @param addresses at which node ports are reached by clients on this node: this node's own and
 *     those of other nodes, sorted, without duplicates. Loopback addresses are among them if node
 *     ports are served there
 * @param externalRanges in which the external addresses of Services must lie to be served; empty:
 *     none is
 */
public record NodeFacts(
    String nodeName, String zone, List<IpAddress> addresses, List<Cidr> externalRanges) {
  /** All addresses there are. */
  public static final List<Cidr> ANYWHERE =
      List.of(Cidr.parse("0.0.0.0/0").orElseThrow(), Cidr.parse("::/0").orElseThrow());

  public NodeFacts {
    addresses = addresses.stream().distinct().sorted().toList();
    externalRanges = List.copyOf(externalRanges);
  }

  /** A node that serves external addresses wherever they lie. */
  public NodeFacts(String nodeName, String zone, List<IpAddress> addresses) {
    this(nodeName, zone, addresses, ANYWHERE);
  }

  /** A node of which only the name is known. */
  public static NodeFacts named(String nodeName) {
    return new NodeFacts(nodeName, "", List.of());
  }

  /** Whether a Service may have this external address here. */
  public boolean mayServe(IpAddress external) {
    for (Cidr range : externalRanges) {
      if (range.contains(external)) {
        return true;
      }
    }
    return false;
  }
}
