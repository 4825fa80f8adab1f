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
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A cluster such as users have, only smaller: two to six Services whose slices mostly fit their
 * ports, endpoints that have one node and one zone each, and every kind of mishap now and then. It
 * lives in the same addresses and ports as {@link ServiceArbitraries}.
 *
 * @param services in any order
 * @param node the node it is seen from
 */
public record RandomCluster(List<ServiceState> services, NodeFacts node) {
  private static final List<String> NODES = List.of("n1", "n2", "n3");
  private static final List<String> ZONES = List.of("z1", "z1", "z2");

  public RandomCluster {
    services = List.copyOf(services);
  }

  /** Draws one. */
  public static RandomCluster draw(Random random) {
    return new Drawing(random).cluster();
  }

  /** A line for each thing that matters. */
  @Override
  public String toString() {
    return node + services.stream().map(state -> "\n" + state).collect(Collectors.joining());
  }

  /** How ready the endpoints of a Service are. */
  private enum Mood {
    READY,
    MIXED,
    NONE_READY,
    DRAINING
  }

  private record Drawing(Random random) {
    boolean chance(int percent) {
      return random.nextInt(100) < percent;
    }

    <T> T one(List<T> of) {
      return of.get(random.nextInt(of.size()));
    }

    RandomCluster cluster() {
      List<ServiceState> services = new ArrayList<>();
      int count = 2 + random.nextInt(5);
      for (int i = 1; i <= count; i++) {
        services.add(service(i));
      }
      List<IpAddress> addresses = new ArrayList<>();
      for (String address : List.of("192.0.2.1", "192.0.2.2", "2001:db8::1", "127.0.0.1", "::1")) {
        if (chance(75)) {
          addresses.add(IpAddress.of(address));
        }
      }
      if (chance(5)) {
        addresses.add(IpAddress.of("10.96.0.2"));
      }
      return new RandomCluster(
          services, new NodeFacts("n1", one(List.of("z1", "z1", "z2", "")), addresses));
    }

    ServiceState service(int number) {
      ObjectKey key = new ObjectKey(one(List.of("a", "b")), "svc" + number);
      int address = chance(4) ? 1 : number;
      IpAddress v4 = IpAddress.of("10.96.0." + address);
      IpAddress v6 = IpAddress.of("fd01::" + address);
      boolean headless = chance(4);
      List<IpAddress> clusterIps =
          headless
              ? List.of()
              : one(List.of(List.of(v4), List.of(v4), List.of(v6), List.of(v4, v6)));
      ServiceType type =
          chance(3)
              ? ServiceType.EXTERNAL_NAME
              : one(
                  List.of(
                      ServiceType.CLUSTER_IP,
                      ServiceType.CLUSTER_IP,
                      ServiceType.NODE_PORT,
                      ServiceType.LOAD_BALANCER));
      boolean outside = type == ServiceType.NODE_PORT || type == ServiceType.LOAD_BALANCER;
      List<ServicePort> ports = ports(outside);
      Service service =
          Service.builder(key)
              .type(type)
              .headless(headless)
              .clusterIps(clusterIps)
              .ports(ports)
              .affinitySeconds(chance(20) ? 10800 : 0)
              .publishNotReadyAddresses(chance(8))
              .internalPolicy(chance(35) ? TrafficPolicy.LOCAL : TrafficPolicy.CLUSTER)
              .externalPolicy(chance(50) ? TrafficPolicy.LOCAL : TrafficPolicy.CLUSTER)
              .externalIps(
                  some(
                      25,
                      List.of(
                          "198.51.100.1",
                          "198.51.100.2",
                          "192.0.2.1",
                          "10.96.0.1",
                          "10.96.0.2",
                          "2001:db8::1",
                          "2001:db8::9")))
              .loadBalancerIps(
                  type == ServiceType.LOAD_BALANCER
                      ? some(80, List.of("203.0.113.1", "203.0.113.2", "2001:db8::ff", "192.0.2.2"))
                      : List.of())
              .createdMillis(one(List.of(1L, 2L, 3L, Long.MAX_VALUE)))
              .origin("test")
              .build();
      return new ServiceState(service, slices(key, ports), List.of());
    }

    private List<IpAddress> some(int percent, List<String> pool) {
      Set<String> drawn = new HashSet<>();
      if (chance(percent)) {
        for (int i = 0; i <= random.nextInt(3); i++) {
          drawn.add(one(pool));
        }
      }
      return drawn.stream().sorted().map(IpAddress::of).toList();
    }

    private List<ServicePort> ports(boolean nodePorts) {
      List<ServicePort> ports = new ArrayList<>();
      Set<Object> seen = new HashSet<>();
      int count = 1 + random.nextInt(3);
      for (int i = 0; i < count; i++) {
        Protocol protocol = chance(4) ? Protocol.SCTP : chance(65) ? Protocol.TCP : Protocol.UDP;
        int port = one(List.of(53, 80, 443));
        int nodePort = nodePorts && chance(85) ? 30053 + random.nextInt(4) : 0;
        String name = count == 1 ? "" : one(List.of("http", "dns", "web"));
        if (seen.add(name)
            && seen.add(List.of(protocol, port))
            && (nodePort == 0 || seen.add(List.of("node", protocol, nodePort)))) {
          ports.add(new ServicePort(name, protocol, port, "8080", nodePort));
        }
      }
      return ports;
    }

    private List<EndpointSlice> slices(ObjectKey service, List<ServicePort> ports) {
      Mood mood = one(List.of(Mood.READY, Mood.READY, Mood.MIXED, Mood.NONE_READY, Mood.DRAINING));
      int hinted = one(List.of(0, 0, 1, 2, 3));
      boolean gaps = chance(25);
      List<String> homes = new ArrayList<>(); // by number of the address
      List<Hints> hints = new ArrayList<>();
      boolean nobodyHere = chance(30);
      for (int i = 0; i < 6; i++) {
        int home = nobodyHere ? 1 + random.nextInt(2) : random.nextInt(3);
        homes.add(chance(3) ? "" : NODES.get(home));
        boolean gap = gaps && chance(25);
        List<String> zones =
            chance(80) ? List.of(ZONES.get(random.nextInt(3))) : List.of("z1", "z2");
        hints.add(
            new Hints(
                (hinted & 1) != 0 && !gap ? zones : List.of(),
                (hinted & 2) != 0 && !gap ? List.of(NODES.get(home)) : List.of()));
      }
      List<EndpointSlice> slices = new ArrayList<>();
      for (IpFamily family : IpFamily.values()) {
        int count = one(List.of(0, 1, 1, 2, 2, 3));
        for (int i = 0; i < count; i++) {
          List<Endpoint> endpoints = new ArrayList<>();
          int size = random.nextInt(4);
          for (int j = 0; j < size; j++) {
            int number = random.nextInt(6);
            String prefix = family == IpFamily.IPV4 ? "10.0.0." : "fd00::";
            endpoints.add(
                endpoint(IpAddress.of(prefix + (number + 1)), mood, homes.get(number))
                    .withHints(hints.get(number)));
          }
          ObjectKey key = new ObjectKey(service.namespace(), service.name() + "-" + slices.size());
          slices.add(new EndpointSlice(key, family, endpointPorts(ports), endpoints));
        }
      }
      return slices;
    }

    private List<EndpointPort> endpointPorts(List<ServicePort> ports) {
      List<EndpointPort> served = new ArrayList<>();
      for (ServicePort port : ports) {
        if (chance(90)) {
          Protocol protocol = chance(4) ? Protocol.UDP : port.protocol();
          String name = chance(4) ? "http" : port.name();
          served.add(new EndpointPort(name, protocol, chance(80) ? 8080 : 8081));
        }
      }
      return served;
    }

    private Endpoint endpoint(IpAddress address, Mood mood, String home) {
      boolean ready = mood == Mood.READY ? chance(95) : mood == Mood.MIXED && chance(50);
      boolean terminating =
          !ready && chance(mood == Mood.DRAINING ? 85 : mood == Mood.NONE_READY ? 15 : 50);
      boolean serving = ready || chance(terminating ? 65 : 10);
      return new Endpoint(address, ready, serving, terminating, home, "");
    }
  }
}
