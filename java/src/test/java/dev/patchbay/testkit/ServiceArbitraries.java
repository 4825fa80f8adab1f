// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.testkit;

import dev.patchbay.model.Endpoint;
import dev.patchbay.model.EndpointPort;
import dev.patchbay.model.EndpointSlice;
import dev.patchbay.model.Hints;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Protocol;
import dev.patchbay.model.Service;
import dev.patchbay.model.ServicePort;
import dev.patchbay.model.ServiceState;
import dev.patchbay.model.ServiceType;
import dev.patchbay.model.TrafficPolicy;
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
 * three cluster IPs per family, which are external addresses of others too, three ports, two nodes
 * in two zones.
 */
public final class ServiceArbitraries {
  private ServiceArbitraries() {}

  public static Arbitrary<ObjectKey> keys() {
    return Combinators.combine(Arbitraries.of("a", "b"), Arbitraries.of("x", "y", "z"))
        .as(ObjectKey::new);
  }

  /** Facts of one of two nodes. */
  public static Arbitrary<NodeFacts> nodes() {
    return Combinators.combine(
            Arbitraries.of("n1", "n2"),
            Arbitraries.of("", "z1", "z2"),
            Arbitraries.of("192.0.2.1", "192.0.2.2", "10.96.0.1", "2001:db8::1", "127.0.0.1")
                .map(IpAddress::of)
                .list()
                .ofMaxSize(3))
        .as(NodeFacts::new);
  }

  public static Arbitrary<Endpoint> endpoints(IpFamily family) {
    Arbitrary<IpAddress> addresses =
        Arbitraries.integers()
            .between(1, 5)
            .map(i -> IpAddress.of((family == IpFamily.IPV4 ? "10.0.0." : "fd00::") + i));
    Arbitrary<Boolean> flags = Arbitraries.of(true, false);
    return Combinators.combine(
            addresses,
            flags,
            flags,
            flags,
            Arbitraries.of("", "n1", "n2"),
            Arbitraries.of("", "p"),
            hints())
        .as(Endpoint::new);
  }

  /** Mostly there: if one endpoint has none, those of the others count for nothing. */
  private static Arbitrary<Hints> hints() {
    Arbitrary<List<String>> zones =
        Arbitraries.frequency(
            Tuple.of(1, List.<String>of()),
            Tuple.of(4, List.of("z1")),
            Tuple.of(4, List.of("z2")),
            Tuple.of(2, List.of("z2", "z1")));
    Arbitrary<List<String>> nodes =
        Arbitraries.frequency(
            Tuple.of(4, List.<String>of()),
            Tuple.of(3, List.of("n1")),
            Tuple.of(3, List.of("n2")),
            Tuple.of(1, List.of("n1", "n2")));
    Arbitrary<Hints> some = Combinators.combine(zones, nodes).as(Hints::new);
    return Arbitraries.oneOf(Arbitraries.just(Hints.NONE), some, some);
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
                Arbitraries.of(0, 30053, 30054))
            .as(ServicePort::new)
            .list()
            .ofMaxSize(3)
            .map(ServiceArbitraries::withoutRepeats);
    Arbitrary<Service.Builder> inside =
        Combinators.combine(
                clusterIps,
                ports,
                Arbitraries.of(0, 10800),
                Arbitraries.of(true, false),
                Arbitraries.of(1L, 2L, Long.MAX_VALUE))
            .as(
                (ips, portList, affinity, publish, created) ->
                    Service.builder(key)
                        .clusterIps(ips)
                        .headless(ips.isEmpty())
                        .ports(portList)
                        .selector(Map.of("app", key.name()))
                        .affinitySeconds(affinity)
                        .publishNotReadyAddresses(publish)
                        .createdMillis(created)
                        .origin("test"));
    return Combinators.combine(
            inside,
            slices(key),
            Arbitraries.frequency(
                Tuple.of(5, ServiceType.CLUSTER_IP),
                Tuple.of(2, ServiceType.NODE_PORT),
                Tuple.of(2, ServiceType.LOAD_BALANCER),
                Tuple.of(1, ServiceType.EXTERNAL_NAME)),
            Arbitraries.of(TrafficPolicy.class),
            Arbitraries.of(TrafficPolicy.class),
            externalAddresses(),
            externalAddresses(),
            Arbitraries.of(List.<String>of(), List.of("a note")))
        .as(
            (service, sliceList, type, internal, external, externalIps, balanced, notes) ->
                new ServiceState(
                    service
                        .type(type)
                        .internalPolicy(internal)
                        .externalPolicy(external)
                        .externalIps(externalIps)
                        .loadBalancerIps(balanced)
                        .build(),
                    sliceList,
                    notes));
  }

  /** Mostly none; else addresses of nodes, cluster IPs, and one that nobody has. */
  private static Arbitrary<List<IpAddress>> externalAddresses() {
    Arbitrary<List<IpAddress>> some =
        Arbitraries.of(
                "198.51.100.1", "192.0.2.1", "10.96.0.1", "10.96.0.2", "fd01::1", "2001:db8::1")
            .map(IpAddress::of)
            .list()
            .ofMaxSize(2);
    return Arbitraries.oneOf(Arbitraries.just(List.of()), some);
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
