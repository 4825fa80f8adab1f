// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.compile;

import dev.patchbay.compile.EndpointSelection.Candidates;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.Protocol;
import dev.patchbay.model.Service;
import dev.patchbay.model.ServicePort;
import dev.patchbay.model.ServiceState;
import dev.patchbay.model.TrafficPolicy;

/**
 * How many ports of a Service have endpoints, but none that their policy {@code Local} allows on
 * this node. What kube-proxy counts as {@code sync_proxy_rules_no_local_endpoints_total}; it counts
 * the traffic from outside too, whoever serves it.
 *
 * @param internal4 ports that clients on this node cannot reach by IPv4
 * @param internal6 the same by IPv6
 * @param external4 ports that clients outside of the cluster cannot reach here by IPv4
 * @param external6 the same by IPv6
 */
public record NoLocalEndpoints(int internal4, int internal6, int external4, int external6) {
  public static final NoLocalEndpoints NONE = new NoLocalEndpoints(0, 0, 0, 0);

  /** Counts the ports of one Service. */
  public static NoLocalEndpoints of(ServiceState state, NodeFacts node) {
    Service service = state.service();
    boolean internal = service.internalPolicy() == TrafficPolicy.LOCAL;
    boolean external =
        service.externalPolicy() == TrafficPolicy.LOCAL && service.isExternallyReachable();
    if (!internal && !external) {
      return NONE;
    }
    int without4 = without(state, IpFamily.IPV4, node);
    int without6 = without(state, IpFamily.IPV6, node);
    return new NoLocalEndpoints(
        internal ? without4 : 0,
        internal ? without6 : 0,
        external ? without4 : 0,
        external ? without6 : 0);
  }

  private static int without(ServiceState state, IpFamily family, NodeFacts node) {
    Service service = state.service();
    if (service.clusterIps().stream().noneMatch(address -> address.family() == family)) {
      return 0;
    }
    int without = 0;
    for (ServicePort port : service.ports()) {
      if (port.protocol() != Protocol.SCTP) {
        Candidates all = Candidates.of(service, port, family, state.slices(), node);
        if (all.anyUsableAnywhere() && all.choose(TrafficPolicy.LOCAL, 1).chosen().isEmpty()) {
          without++;
        }
      }
    }
    return without;
  }

  /** Both. */
  public NoLocalEndpoints plus(NoLocalEndpoints other) {
    return new NoLocalEndpoints(
        internal4 + other.internal4,
        internal6 + other.internal6,
        external4 + other.external4,
        external6 + other.external6);
  }

  /** What is left without {@code other}. */
  public NoLocalEndpoints minus(NoLocalEndpoints other) {
    return new NoLocalEndpoints(
        internal4 - other.internal4,
        internal6 - other.internal6,
        external4 - other.external4,
        external6 - other.external6);
  }
}
