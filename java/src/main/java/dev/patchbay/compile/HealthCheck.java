// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.compile;

import dev.patchbay.compile.EndpointSelection.Candidates;
import dev.patchbay.model.EndpointPort;
import dev.patchbay.model.EndpointSlice;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.Protocol;
import dev.patchbay.model.Service;
import dev.patchbay.model.ServiceState;
import dev.patchbay.model.ServiceType;
import dev.patchbay.model.TrafficPolicy;
import java.util.HashSet;
import java.util.Set;

/** What the health-check node port of a Service tells load balancers. */
public final class HealthCheck {
  private HealthCheck() {}

  /**
   * Where the number of local endpoints is told, 0 if nowhere: only a load balancer that must spare
   * nodes without endpoints asks ({@code externalTrafficPolicy: Local}), and only for a Service
   * that nodes serve.
   */
  public static int port(Service service) {
    boolean asked =
        service.type() == ServiceType.LOAD_BALANCER
            && service.externalPolicy() == TrafficPolicy.LOCAL
            && !service.clusterIps().isEmpty();
    return asked ? service.healthCheckNodePort() : 0;
  }

  /**
   * How many ready endpoints a Service has on this node, as kube-proxy counts them ({@code
   * LocalReadyEndpoints}): addresses, each once over all ports of its slices. Those that terminate
   * do not count though they may still serve: new connections shall go elsewhere. kube-proxy counts
   * each family by itself; this is the larger of the two.
   */
  public static int localEndpoints(ServiceState state, NodeFacts node) {
    int most = 0;
    for (IpFamily family : IpFamily.values()) {
      most = Math.max(most, localEndpoints(state, family, node));
    }
    return most;
  }

  private static int localEndpoints(ServiceState state, IpFamily family, NodeFacts node) {
    record Port(String name, Protocol protocol) {}
    Set<Port> ports = new HashSet<>();
    for (EndpointSlice slice : state.slices()) {
      for (EndpointPort port : slice.ports()) {
        ports.add(new Port(port.name(), port.protocol()));
      }
    }
    Set<IpAddress> addresses = new HashSet<>();
    for (Port port : ports) {
      Candidates.of(state.service(), port.name, port.protocol, family, state.slices(), node)
          .addUsableHere(addresses);
    }
    return addresses.size();
  }
}
