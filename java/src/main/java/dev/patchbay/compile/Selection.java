// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.compile;

import dev.patchbay.model.TrafficPolicy;
import dev.patchbay.table.Backend;
import java.util.List;

/**
 * The result of endpoint selection for one port of a Service in one address family. Sets are
 * sorted, without duplicates, and have at most {@link dev.patchbay.table.ServiceWord#MAX_COUNT}
 * elements.
 *
 * @param cluster who may be chosen under the policy {@code Cluster}
 * @param local who may be chosen under the policy {@code Local}
 * @param anyUsable whether there is an endpoint that somebody in the cluster may use: an empty set
 *     means "forbidden by the policy" if so, else "no endpoint"
 * @param decisions one for each endpoint of the family and each matching port of its slice, in the
 *     order of the slices; those that are chosen have exactly the backends of the sets
 * @param remarks what concerns no endpoint alone, in plain words without a full stop
 */
public record Selection(
    List<Backend> cluster,
    List<Backend> local,
    boolean anyUsable,
    List<Decision> decisions,
    List<String> remarks) {
  public Selection {
    cluster = List.copyOf(cluster);
    local = List.copyOf(local);
    decisions = List.copyOf(decisions);
    remarks = List.copyOf(remarks);
  }

  /** Who may be chosen under a policy. */
  public List<Backend> chosen(TrafficPolicy policy) {
    return policy == TrafficPolicy.CLUSTER ? cluster : local;
  }
}
