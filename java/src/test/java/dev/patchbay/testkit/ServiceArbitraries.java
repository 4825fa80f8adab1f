// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.testkit;

import dev.patchbay.model.Endpoint;
import dev.patchbay.model.EndpointPort;
import dev.patchbay.model.EndpointSlice;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Protocol;
import dev.patchbay.model.Service;
import dev.patchbay.model.ServicePort;
import dev.patchbay.model.ServiceState;
import dev.patchbay.model.ServiceType;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Tuple;

/**
 * Random Services from a world so small that names, addresses and ports collide often: six keys,
 * three addresses per family, three ports.
 */
public final class ServiceArbitraries {
  private ServiceArbitraries() {}

  public static Arbitrary<ObjectKey> keys() {
    return Combinators.combine(Arbitraries.of("a", "b"), Arbitraries.of("x", "y", "z"))
        .as(ObjectKey::new);
  }

  public static Arbitrary<Endpoint> endpoints(IpFamily family) {
    Arbitrary<IpAddress> addresses =
        Arbitraries.integers()
            .between(1, 5)
            .map(i -> IpAddress.of((family == IpFamily.IPV4 ? "10.0.0." : "fd00::") + i));
    Arbitrary<Boolean> flags = Arbitraries.of(true, false);
    return Combinators.combine(
            addresses, flags, flags, flags, Arbitraries.of("", "n1"), Arbitraries.of("", "p"))
        .as(Endpoint::new);
  }

  public static Arbitrary<EndpointPort> endpointPorts() {
    return Combinators.combine(
            Arbitraries.of("", "http", "dns"),
            Arbitraries.of(Protocol.class),
            Arbitraries.of(8080, 8081))
        .as(EndpointPort::new);
  }

  public static Arbitrary<List<EndpointSlice>> slices(ObjectKey service) {
    Arbitrary<EndpointSlice> slice =
        Arbitraries.of(IpFamily.class)
            .flatMap(
                family ->
                    Combinators.combine(
                            endpointPorts().list().ofMaxSize(2),
                            endpoints(family).list().ofMaxSize(4))
                        .as((ports, list) -> new EndpointSlice(service, family, ports, list)));
    return slice
        .list()
        .ofMaxSize(4)
        .map(
            list -> {
              List<EndpointSlice> named = new ArrayList<>();
              for (EndpointSlice s : list) {
                ObjectKey key =
                    new ObjectKey(service.namespace(), service.name() + "-" + named.size());
                named.add(new EndpointSlice(key, s.family(), s.ports(), s.endpoints()));
              }
              return named;
            });
  }

  public static Arbitrary<ServiceState> services() {
    return keys().flatMap(ServiceArbitraries::services);
  }

  public static Arbitrary<ServiceState> services(ObjectKey key) {
    Arbitrary<List<IpAddress>> clusterIps =
        Combinators.combine(
                Arbitraries.of("10.96.0.1", "10.96.0.2", "10.96.0.3").map(IpAddress::of),
                Arbitraries.of("fd01::1", "fd01::2", "fd01::3").map(IpAddress::of),
                Arbitraries.integers().between(0, 4))
            .as(
                (v4, v6, which) ->
                    switch (which) {
                      case 0 -> List.of();
                      case 1 -> List.of(v6);
                      case 2 -> List.of(v4, v6);
                      default -> List.of(v4);
                    });
    Arbitrary<List<ServicePort>> ports =
        Combinators.combine(
                Arbitraries.of("", "http", "dns"),
                Arbitraries.of(Protocol.class),
                Arbitraries.of(53, 80, 443),
                Arbitraries.of("8080", "web"),
                Arbitraries.of(0, 30053))
            .as(ServicePort::new)
            .list()
            .ofMaxSize(3)
            .map(ServiceArbitraries::withoutRepeats);
    return Combinators.combine(
            clusterIps,
            ports,
            slices(key),
            Arbitraries.frequency(
                Tuple.of(9, ServiceType.CLUSTER_IP), Tuple.of(1, ServiceType.EXTERNAL_NAME)),
            Arbitraries.of(0, 10800),
            Arbitraries.of(true, false),
            Arbitraries.of(1L, 2L, Long.MAX_VALUE))
        .as(
            (ips, portList, sliceList, type, affinity, publish, created) ->
                new ServiceState(
                    Service.builder(key)
                        .type(type)
                        .clusterIps(ips)
                        .ports(portList)
                        .selector(Map.of("app", key.name()))
                        .affinitySeconds(affinity)
                        .publishNotReadyAddresses(publish)
                        .createdMillis(created)
                        .origin("test")
                        .build(),
                    sliceList,
                    affinity == 0 ? List.of() : List.of("a note")));
  }

  /** As the API demands: names are unique, and so are pairs of protocol and port. */
  private static List<ServicePort> withoutRepeats(List<ServicePort> ports) {
    Set<Object> seen = new HashSet<>();
    List<ServicePort> kept = new ArrayList<>();
    for (ServicePort port : ports) {
      if (seen.add(port.name()) && seen.add(List.of(port.protocol(), port.port()))) {
        kept.add(port);
      }
    }
    return kept;
  }
}
