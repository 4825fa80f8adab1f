// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.compile;

import dev.patchbay.model.Endpoint;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.TrafficPolicy;
import dev.patchbay.table.Backend;
import org.jspecify.annotations.Nullable;

/**
 * What endpoint selection decided about one endpoint, for one port of a Service.
 *
 * @param slice the slice that lists the endpoint
 * @param endpoint the endpoint
 * @param backend where connections to it would go; null exactly if both reasons are {@link
 *     Reason#NO_SUCH_PORT}
 * @param cluster why it was chosen or not under the policy {@code Cluster}
 * @param local the same under the policy {@code Local}
 */
public record Decision(
    ObjectKey slice, Endpoint endpoint, @Nullable Backend backend, Reason cluster, Reason local) {

  /** Why it was chosen or not under a policy. */
  public Reason reason(TrafficPolicy policy) {
    return policy == TrafficPolicy.CLUSTER ? cluster : local;
  }

  /**
   * The reason under a policy in words, with the names of nodes and zones. Lower case, without a
   * full stop.
   *
   * @param node what the selection was made for
   */
  public String sentence(TrafficPolicy policy, NodeFacts node) {
    Reason reason = reason(policy);
    return switch (reason) {
      case HINTED_FOR_OTHER_ZONE ->
          "hinted for zone "
              + String.join(", ", endpoint.hints().zones())
              + ", and this node is in zone "
              + node.zone();
      case HINTED_FOR_OTHER_NODE ->
          "hinted for node "
              + String.join(", ", endpoint.hints().nodes())
              + ", and this node is "
              + node.nodeName();
      case OTHER_NODE -> "on node " + endpoint.nodeName() + ", and the traffic policy is Local";
      default -> reason.sentence();
    };
  }

  /** Why an endpoint was chosen or not; each with a sentence for people. */
  public enum Reason {
    READY(true, "ready"),
    NOT_READY_BUT_PUBLISHED(
        true, "not ready, but the Service publishes addresses that are not ready"),
    SERVING_WHILE_TERMINATING(true, "terminating but still serving, and no endpoint is ready"),
    SERVING_HERE_WHILE_TERMINATING(
        true, "terminating but still serving, and no endpoint on this node is ready"),
    HINTED_FOR_OTHER_ZONE(false, "meant for other zones; there are endpoints meant for this one"),
    HINTED_FOR_OTHER_NODE(false, "meant for other nodes; there are endpoints meant for this one"),
    OTHER_NODE(false, "on another node, and the traffic policy is Local"),
    NODE_UNKNOWN(false, "on an unknown node, and the traffic policy is Local"),
    NOT_READY(false, "not ready"),
    TERMINATING(false, "terminating, and other endpoints are ready"),
    TERMINATED(false, "terminating and no longer serving"),
    NO_SUCH_PORT(false, "its slice has no port with the name and protocol of the Service port"),
    DUPLICATE(false, "another entry with the same address and port speaks for it"),
    OVER_LIMIT(false, "a Service port can have at most 65535 endpoints, and others come first");

    private final boolean chosen;
    private final String sentence;

    Reason(boolean chosen, String sentence) {
      this.chosen = chosen;
      this.sentence = sentence;
    }

    public boolean chosen() {
      return chosen;
    }

    /** Lower case, without a full stop. */
    public String sentence() {
      return sentence;
    }
  }
}
