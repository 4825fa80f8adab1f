// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.compile;

import dev.patchbay.compile.EndpointSelection.Candidates;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.Protocol;
import dev.patchbay.model.Service;
import dev.patchbay.model.ServicePort;
import dev.patchbay.model.ServicePortKey;
import dev.patchbay.model.ServiceState;
import dev.patchbay.model.ServiceType;
import dev.patchbay.model.TrafficPolicy;
import dev.patchbay.table.Backend;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.Scope;
import dev.patchbay.table.ServiceRow;
import dev.patchbay.table.ServiceSettings;
import dev.patchbay.table.ServiceWord;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Compiles one Service. Its frontends, for each family in which it has a cluster IP and each TCP or
 * UDP port:
 *
 * <ul>
 *   <li>each cluster IP, under the internal traffic policy; a wildcard refuses its other ports;
 *   <li>the node port, each external IP and each address of a load balancer, under the policy
 *       {@code Cluster}: whoever connects from this node is inside the cluster already, so the
 *       external policy does not concern him.
 * </ul>
 *
 * <p>So a port has two rows if the internal policy is {@code Local} and it has external addresses.
 * The family of an address is served if the Service has a cluster IP of it. A headless Service and
 * an ExternalName have none of these.
 */
public final class ServiceCompiler {
  private ServiceCompiler() {}

  /** The rows of one Service on {@code node}, as if there were no other. */
  public static CompiledService compile(ServiceState state, NodeFacts node) {
    Service service = state.service();
    if (service.type() == ServiceType.EXTERNAL_NAME || service.clusterIps().isEmpty()) {
      return new CompiledService(List.of(), List.of(), List.of());
    }
    List<FrontendKey> refused = new ArrayList<>();
    List<ServiceRow> rows = new ArrayList<>();
    List<Rejection> rejections = new ArrayList<>();
    for (IpFamily family : IpFamily.values()) {
      List<IpAddress> internal = ofFamily(service.clusterIps(), family);
      withdrawReserved(service, family, internal, rejections);
      List<IpAddress> external = external(service, family, !internal.isEmpty(), node, rejections);
      if (internal.isEmpty()) {
        continue;
      }
      internal.forEach(address -> refused.add(FrontendKey.wildcard(address)));
      Set<ServicePortKey> seen = HashSet.newHashSet(service.ports().size());
      for (ServicePort port : service.ports()) {
        ServicePortKey key =
            new ServicePortKey(service.key(), port.name(), port.protocol(), family);
        if (port.protocol() == Protocol.SCTP) {
          rejections.add(new Rejection.ProtocolUnsupported(key));
        } else if (!seen.add(key)) {
          rejections.add(new Rejection.PortRepeated(key, port.port()));
        } else {
          addRows(key, state, port, internal, external, node, rows, rejections);
        }
      }
    }
    return new CompiledService(rows, refused, rejections);
  }

  /** Whether the name or the zone of the node can make a difference to what it compiles to. */
  static boolean dependsOnNode(ServiceState state) {
    return state.service().internalPolicy() == TrafficPolicy.LOCAL
        || state.slices().stream()
            .flatMap(slice -> slice.endpoints().stream())
            .anyMatch(endpoint -> !endpoint.hints().isNone());
  }

  /** Those of one family, each once. */
  private static List<IpAddress> ofFamily(List<IpAddress> addresses, IpFamily family) {
    List<IpAddress> found = new ArrayList<>(1);
    for (IpAddress address : addresses) {
      if (address.family() == family && !found.contains(address)) {
        found.add(address);
      }
    }
    return found;
  }

  /** Takes an address of Patchbay's own out of a Service's. */
  private static void withdrawReserved(
      Service service, IpFamily family, List<IpAddress> addresses, List<Rejection> rejections) {
    IpAddress reserved = Reserved.address(family);
    if (addresses.remove(reserved) && !service.ports().isEmpty()) {
      rejections.add(new Rejection.AddressReserved(first(service, family), reserved));
    }
  }

  private static ServicePortKey first(Service service, IpFamily family) {
    ServicePort first = service.ports().getFirst();
    return new ServicePortKey(service.key(), first.name(), first.protocol(), family);
  }

  /**
   * The external addresses of a family that are served.
   *
   * @param served whether the Service has a cluster IP of the family, so endpoints too
   */
  private static List<IpAddress> external(
      Service service,
      IpFamily family,
      boolean served,
      NodeFacts node,
      List<Rejection> rejections) {
    boolean none = service.externalIps().isEmpty() && service.loadBalancerIps().isEmpty();
    if (none || service.ports().isEmpty()) {
      return List.of();
    }
    Set<IpAddress> external = new LinkedHashSet<>(ofFamily(service.externalIps(), family));
    external.addAll(ofFamily(service.loadBalancerIps(), family));
    ServicePortKey who = first(service, family);
    List<IpAddress> kept = new ArrayList<>(external.size());
    for (IpAddress address : external) {
      if (!served) {
        rejections.add(new Rejection.FamilyNotServed(who, address));
      } else if (Reserved.is(address)) {
        rejections.add(new Rejection.AddressReserved(who, address));
      } else if (address.isUnspecified() || address.isLoopback() || address.isMulticast()) {
        rejections.add(new Rejection.AddressNamesNoHost(who, address));
      } else if (!node.mayServe(address)) {
        rejections.add(new Rejection.AddressNotAllowed(who, address));
      } else {
        kept.add(address);
      }
    }
    return kept;
  }

  private static void addRows(
      ServicePortKey key,
      ServiceState state,
      ServicePort port,
      List<IpAddress> internal,
      List<IpAddress> external,
      NodeFacts node,
      List<ServiceRow> rows,
      List<Rejection> rejections) {
    Service service = state.service();
    List<FrontendKey> atClusterIps = frontends(internal, port);
    List<FrontendKey> elsewhere = frontends(external, port);
    if (port.nodePort() != 0) {
      elsewhere.add(FrontendKey.nodePort(key.family(), port.nodePort(), port.protocol()));
    }
    elsewhere.removeAll(atClusterIps);
    Candidates candidates = Candidates.of(service, port, key.family(), state.slices(), node);
    if (service.internalPolicy() == TrafficPolicy.CLUSTER) {
      atClusterIps.addAll(elsewhere);
    } else if (!elsewhere.isEmpty()) {
      rows.add(row(key, elsewhere, service, candidates, rejections));
    }
    ServicePortKey internalKey = key.withPolicy(service.internalPolicy());
    rows.add(row(internalKey, atClusterIps, service, candidates, rejections));
  }

  private static List<FrontendKey> frontends(List<IpAddress> addresses, ServicePort port) {
    List<FrontendKey> frontends = new ArrayList<>(addresses.size() + 1);
    for (IpAddress address : addresses) {
      frontends.add(new FrontendKey(address, port.port(), port.protocol(), Scope.INTERNAL));
    }
    return frontends;
  }

  /** A row with these frontends, which it sorts. */
  private static ServiceRow row(
      ServicePortKey key,
      List<FrontendKey> frontends,
      Service service,
      Candidates candidates,
      List<Rejection> rejections) {
    EndpointSelection.Choice choice = candidates.choose(key.policy(), ServiceWord.MAX_COUNT);
    List<Backend> chosen = choice.chosen();
    if (choice.overLimit() > 0) {
      rejections.add(
          new Rejection.EndpointsOverLimit(key, chosen.size() + choice.overLimit(), chosen.size()));
    }
    // Also while there are endpoints: so the last one here can go without a moment at which its
    // clients are told that there is none anywhere.
    boolean policyLocal = key.policy() == TrafficPolicy.LOCAL && candidates.anyUsableAnywhere();
    frontends.sort(null);
    return new ServiceRow(
        key,
        frontends,
        chosen,
        new ServiceSettings(
            service.affinitySeconds(),
            policyLocal,
            service.options().terminateConnections(),
            service.options().backendMetrics(),
            key.statsId()));
  }
}
