// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.model;

import java.util.List;

/**
 * A Node as a source knows it. The agent makes {@link NodeFacts} from all of them.
 *
 * @param name its name
 * @param zone its label {@code topology.kubernetes.io/zone}; empty where there is none
 * @param addresses the IP addresses of {@code status.addresses}, internal and external, in the
 *     order given there; host names are left out
 * @param eligible whether load balancers may send new connections to it: false while it is being
 *     deleted or has the taint {@code ToBeDeletedByClusterAutoscaler}
 */
public record NodeInfo(String name, String zone, List<IpAddress> addresses, boolean eligible) {
  public NodeInfo {
    addresses = List.copyOf(addresses);
  }
}
