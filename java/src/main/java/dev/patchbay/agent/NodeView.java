// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import dev.patchbay.model.Cidr;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.NodeInfo;
import dev.patchbay.model.NodePortAddresses;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Puts together what is known of nodes: the source's Nodes, and the addresses that this machine's
 * interfaces have. Owner thread.
 */
final class NodeView {
  private static final List<IpAddress> LOOPBACK =
      List.of(IpAddress.of("127.0.0.1"), IpAddress.of("::1"));

  private final String nodeName;
  private NodePortAddresses served;
  private final List<Cidr> externalRanges;
  private List<NodeInfo> nodes = List.of();
  private List<IpAddress> local = List.of();
  private NodeFacts facts;

  /**
   * Begins with no Nodes and no interfaces.
   *
   * @param nodeName this node's
   * @param served at which addresses node ports are served
   * @param externalRanges where external addresses of Services are served
   */
  NodeView(String nodeName, NodePortAddresses served, List<Cidr> externalRanges) {
    this.nodeName = nodeName;
    this.served = served;
    this.externalRanges = List.copyOf(externalRanges);
    facts = compute();
  }

  /** The Nodes as the source has them now; whether that changes the facts. */
  boolean nodes(List<NodeInfo> now) {
    if (nodes.equals(now)) {
      return false;
    }
    nodes = now;
    return recompute();
  }

  /** The addresses of this machine as they are now; whether that changes the facts. */
  boolean local(List<IpAddress> now) {
    local = now;
    return recompute();
  }

  /** Other addresses for node ports, from the next change of facts on. */
  void serve(NodePortAddresses now) {
    served = now;
  }

  NodeFacts facts() {
    return facts;
  }

  /** Whether load balancers may choose this node; true where the source does not know it. */
  boolean eligible() {
    NodeInfo own = own();
    return own == null || own.eligible();
  }

  private @Nullable NodeInfo own() {
    for (NodeInfo node : nodes) {
      if (node.name().equals(nodeName)) {
        return node;
      }
    }
    return null;
  }

  private boolean recompute() {
    NodeFacts before = facts;
    facts = compute();
    return !facts.equals(before);
  }

  private NodeFacts compute() {
    NodeInfo own = own();
    List<IpAddress> addresses = new ArrayList<>();
    List<IpAddress> primary = primary(own == null ? local : own.addresses());
    add(LOOPBACK, primary, addresses);
    add(local, primary, addresses);
    for (NodeInfo node : nodes) {
      add(node.addresses(), primary(node.addresses()), addresses);
    }
    return new NodeFacts(nodeName, own == null ? "" : own.zone(), addresses, externalRanges);
  }

  /** The first of each family. */
  private static List<IpAddress> primary(List<IpAddress> addresses) {
    List<IpAddress> primary = new ArrayList<>(2);
    for (IpFamily family : IpFamily.values()) {
      addresses.stream().filter(a -> a.family() == family).findFirst().ifPresent(primary::add);
    }
    return primary;
  }

  private void add(List<IpAddress> all, List<IpAddress> primary, List<IpAddress> to) {
    for (IpAddress address : all) {
      if (served.matches(address, primary)) {
        to.add(address);
      }
    }
  }
}
