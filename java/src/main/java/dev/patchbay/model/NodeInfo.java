// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.model;

import java.util.List;

/**
 * A Node as a source knows it.
 *
 * @param name its name
 * @param zone its label {@code topology.kubernetes.io/zone}; empty if it has none
 * @param addresses its internal and external addresses, in the order of the object
 * @param eligible whether load balancers may send it new connections: false once it is being
 *     deleted, or tainted {@code ToBeDeletedByClusterAutoscaler}
 */
public record NodeInfo(String name, String zone, List<IpAddress> addresses, boolean eligible) {
  public NodeInfo {
    addresses = List.copyOf(addresses);
  }
}
