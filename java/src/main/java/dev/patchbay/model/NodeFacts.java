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
 */
public record NodeFacts(String nodeName, String zone, List<IpAddress> addresses) {
  public NodeFacts {
    addresses = addresses.stream().distinct().sorted().toList();
  }

  /** A node of which only the name is known. */
  public static NodeFacts named(String nodeName) {
    return new NodeFacts(nodeName, "", List.of());
  }
}
