// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.compile;

import dev.patchbay.model.Endpoint;
import dev.patchbay.model.EndpointSlice;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.ServiceState;
import java.util.HashSet;
import java.util.Set;

/** What the health-check node port of a Service tells load balancers. */
public final class HealthCheck {
  private HealthCheck() {}

  /**
   * How many ready endpoints a Service has on this node: addresses over all ports, in the family
   * that has more of them. Those that terminate do not count though they may still serve: new
   * connections shall go elsewhere.
   */
  public static int localEndpoints(ServiceState state, NodeFacts node) {
    Set<IpAddress> ipv4 = new HashSet<>();
    Set<IpAddress> ipv6 = new HashSet<>();
    for (EndpointSlice slice : state.slices()) {
      Set<IpAddress> addresses = slice.family() == IpFamily.IPV4 ? ipv4 : ipv6;
      for (Endpoint endpoint : slice.endpoints()) {
        boolean usable = endpoint.ready() || state.service().publishNotReadyAddresses();
        if (usable && endpoint.isOn(node.nodeName())) {
          addresses.add(endpoint.address());
        }
      }
    }
    return Math.max(ipv4.size(), ipv6.size());
  }
}
