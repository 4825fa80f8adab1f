// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.compile;

import dev.patchbay.compile.Decision.Reason;
import dev.patchbay.model.Endpoint;
import dev.patchbay.model.NodeFacts;
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

  private static final Topology UNHINTED = new Topology(Mode.ANY, NodeFacts.named(""), List.of());

  private final Mode mode;
  private final NodeFacts node;
  private final List<String> remarks;

  private Topology(Mode mode, NodeFacts node, List<String> remarks) {
    this.mode = mode;
    this.node = node;
    this.remarks = remarks;
  }

  static Topology of(List<Endpoint> usable, NodeFacts node) {
    Count nodes = new Count();
    Count zones = new Count();
    for (Endpoint endpoint : usable) {
      nodes.add(endpoint.hints().nodes(), node.nodeName());
      zones.add(endpoint.hints().zones(), node.zone());
    }
    if (nodes.hinted == 0 && zones.hinted == 0) {
      return UNHINTED;
    }
    if (nodes.decides(usable.size())) {
      return new Topology(Mode.SAME_NODE, node, List.of());
    }
    if (zones.decides(usable.size())) {
      return new Topology(Mode.SAME_ZONE, node, List.of());
    }
    return new Topology(Mode.ANY, node, List.of(why(nodes, zones, usable.size(), node)));
  }

  /** Hints of one kind among the usable endpoints. */
  private static final class Count {
    private int hinted;
    private int here;

    void add(List<String> hints, String own) {
      if (!hints.isEmpty()) {
        hinted++;
        if (hints.contains(own)) {
          here++;
        }
      }
    }

    boolean decides(int usable) {
      return hinted == usable && here > 0;
    }
  }

  private static String why(Count nodes, Count zones, int usable, NodeFacts node) {
    Count count = zones.hinted > 0 ? zones : nodes;
    String kind = count == zones ? "zone" : "node";
    String ignored = "topology hints are ignored: ";
    if (count.hinted < usable) {
      return ignored
          + (usable - count.hinted)
          + " of "
          + usable
          + " endpoints have no "
          + kind
          + " hint";
    }
    if (count == zones && node.zone().isEmpty()) {
      return ignored + "the zone of this node is unknown";
    }
    return ignored
        + "no endpoint is meant for this "
        + kind
        + (count == zones ? ", " + node.zone() : "");
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

  /** Why hints have no effect, if there are any and they have none. */
  List<String> remarks() {
    return remarks;
  }
}
