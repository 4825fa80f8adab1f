// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.compile;

import dev.patchbay.compile.Decision.Reason;
import dev.patchbay.model.Endpoint;
import dev.patchbay.model.NodeFacts;
import java.util.ArrayList;
import java.util.List;

/**
 * What the hints of a Service's usable endpoints mean on one node.
 *
 * <p>As in kube-proxy ({@code topologyModeFromHints}): if every usable endpoint has node hints and
 * one is for this node, only those for this node count. Else, if every usable endpoint has zone
 * hints and one is for this node's zone, only those for this zone count. Else hints have no effect:
 * half a set of hints, or one that leaves this node out, must not leave its clients without
 * endpoints.
 */
final class Topology {
  private enum Mode {
    ANY,
    SAME_ZONE,
    SAME_NODE
  }

  /** Of endpoints without hints. */
  static final Topology NONE = of(List.of(), NodeFacts.named(""));

  private final NodeFacts node;
  private final Count nodes;
  private final Count zones;
  private final Mode mode;

  private Topology(NodeFacts node, Count nodes, Count zones) {
    this.node = node;
    this.nodes = nodes;
    this.zones = zones;
    mode = nodes.decides() ? Mode.SAME_NODE : zones.decides() ? Mode.SAME_ZONE : Mode.ANY;
  }

  static Topology of(List<Endpoint> usable, NodeFacts node) {
    Count nodes = new Count("node", node.nodeName());
    Count zones = new Count("zone", node.zone());
    for (Endpoint endpoint : usable) {
      nodes.add(endpoint.hints().nodes());
      zones.add(endpoint.hints().zones());
    }
    return new Topology(node, nodes, zones);
  }

  /** Hints of one kind among the usable endpoints. */
  private static final class Count {
    private final String kind;
    private final String own;
    private int usable;
    private int hinted;
    private int here;

    Count(String kind, String own) {
      this.kind = kind;
      this.own = own;
    }

    void add(List<String> hints) {
      usable++;
      if (!hints.isEmpty()) {
        hinted++;
        if (hints.contains(own)) {
          here++;
        }
      }
    }

    boolean decides() {
      return hinted == usable && here > 0;
    }

    /** Why there are hints, but without effect; nothing if there are none. */
    void remark(List<String> to) {
      if (hinted == 0 || decides()) {
        return;
      }
      String why;
      if (hinted < usable) {
        why = (usable - hinted) + " of " + usable + " usable endpoints have none";
      } else if (own.isEmpty()) {
        why = "the " + kind + " of this node is unknown";
      } else {
        why = "no usable endpoint is meant for this " + kind + ", " + own;
      }
      to.add(kind + " hints are ignored: " + why);
    }
  }

  /** Whether connections from this node may go to a usable endpoint. */
  boolean allows(Endpoint endpoint) {
    return switch (mode) {
      case ANY -> true;
      case SAME_ZONE -> endpoint.hints().zones().contains(node.zone());
      case SAME_NODE -> endpoint.hints().nodes().contains(node.nodeName());
    };
  }

  /** Why an endpoint that is not allowed is not. */
  Reason refusal() {
    return mode == Mode.SAME_NODE ? Reason.HINTED_FOR_OTHER_NODE : Reason.HINTED_FOR_OTHER_ZONE;
  }

  /** Which hints have no effect though there are some, and why; for people. */
  List<String> remarks() {
    List<String> remarks = new ArrayList<>();
    nodes.remark(remarks);
    if (mode != Mode.SAME_NODE) {
      zones.remark(remarks);
    }
    return remarks;
  }
}
