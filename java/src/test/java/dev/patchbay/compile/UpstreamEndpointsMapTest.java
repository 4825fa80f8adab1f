// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.compile;

import static dev.patchbay.testkit.ServiceBuilder.draining;
import static dev.patchbay.testkit.ServiceBuilder.notReady;
import static dev.patchbay.testkit.ServiceBuilder.on;
import static dev.patchbay.testkit.ServiceBuilder.ready;
import static dev.patchbay.testkit.ServiceBuilder.service;
import static dev.patchbay.testkit.ServiceBuilder.terminated;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.model.Endpoint;
import dev.patchbay.model.EndpointPort;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.Protocol;
import dev.patchbay.model.ServicePort;
import dev.patchbay.model.ServiceState;
import dev.patchbay.table.Backend;
import dev.patchbay.table.DesiredChange;
import dev.patchbay.table.ServiceRow;
import dev.patchbay.testkit.ServiceBuilder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What kube-proxy's tests expect of its map of endpoints, asked of the rows: {@code
 * TestUpdateEndpointsMap} and {@code TestHealthCheckNodePortWhenTerminating}
 * (pkg/proxy/nftables/proxier_test.go), {@code TestEndpointsMapFromESC}
 * (pkg/proxy/endpointslicecache_test.go), {@code TestGetLocalEndpointIPs}
 * (pkg/proxy/endpointschangetracker_test.go), Kubernetes 1.37. An entry of that map is a row that
 * has backends.
 */
class UpstreamEndpointsMapTest {
  private static final NodeFacts NODE = NodeFacts.named("test-node");

  /**
   * A slice: {@code ns/service} and a number, ports as {@code name:number} (UDP), addresses with a
   * star if they are on the node.
   */
  private record Slice(String service, int number, List<String> ports, List<String> addresses) {}

  private static Slice slice(String service, int number, String ports, String addresses) {
    return new Slice(service, number, List.of(ports.split(" ")), List.of(addresses.split(" ")));
  }

  private static final Slice SUBSET_1 = slice("ns1/ep1", 1, "p11:11", "10.1.1.1");
  private static final Slice SUBSET_2 = slice("ns1/ep1", 2, "p12:12", "10.1.1.2");
  private static final Slice NAMED_PORT_LOCAL = slice("ns1/ep1", 1, "p11:11", "10.1.1.1*");
  private static final Slice NAMED_PORTS_LOCAL_NO_LOCAL =
      slice("ns1/ep1", 1, "p11:11 p12:12", "10.1.1.1 10.1.1.2*");

  static Stream<Case> updateEndpointsMap() {
    return Stream.of(
        new Case("nothing").expect("").localEndpoints(""),
        new Case("no change, named port, local")
            .before(NAMED_PORT_LOCAL)
            .had("ns1/ep1:p11=10.1.1.1:11*")
            .after(NAMED_PORT_LOCAL)
            .expect("ns1/ep1:p11=10.1.1.1:11*")
            .localEndpoints("ns1/ep1=1"),
        new Case("no change, multiple subsets")
            .before(SUBSET_1, SUBSET_2)
            .had("ns1/ep1:p11=10.1.1.1:11 ns1/ep1:p12=10.1.1.2:12")
            .after(SUBSET_1, SUBSET_2)
            .expect("ns1/ep1:p11=10.1.1.1:11 ns1/ep1:p12=10.1.1.2:12")
            .localEndpoints(""),
        new Case("no change, multiple subsets, multiple ports, local")
            .before(
                slice("ns1/ep1", 1, "p11:11 p12:12", "10.1.1.1*"),
                slice("ns1/ep1", 2, "p13:13", "10.1.1.3"))
            .had("ns1/ep1:p11=10.1.1.1:11* ns1/ep1:p12=10.1.1.1:12* ns1/ep1:p13=10.1.1.3:13")
            .after(
                slice("ns1/ep1", 1, "p11:11 p12:12", "10.1.1.1*"),
                slice("ns1/ep1", 2, "p13:13", "10.1.1.3"))
            .expect("ns1/ep1:p11=10.1.1.1:11* ns1/ep1:p12=10.1.1.1:12* ns1/ep1:p13=10.1.1.3:13")
            .localEndpoints("ns1/ep1=1"),
        new Case("no change, multiple endpoints, subsets, IPs, and ports")
            .before(
                slice("ns1/ep1", 1, "p11:11 p12:12", "10.1.1.1 10.1.1.2*"),
                slice("ns1/ep1", 2, "p13:13 p14:14", "10.1.1.3 10.1.1.4*"),
                slice("ns2/ep2", 1, "p21:21 p22:22", "10.2.2.1 10.2.2.2*"))
            .had(
                "ns1/ep1:p11=10.1.1.1:11,10.1.1.2:11* ns1/ep1:p12=10.1.1.1:12,10.1.1.2:12*"
                    + " ns1/ep1:p13=10.1.1.3:13,10.1.1.4:13* ns1/ep1:p14=10.1.1.3:14,10.1.1.4:14*"
                    + " ns2/ep2:p21=10.2.2.1:21,10.2.2.2:21* ns2/ep2:p22=10.2.2.1:22,10.2.2.2:22*")
            .after(
                slice("ns1/ep1", 1, "p11:11 p12:12", "10.1.1.1 10.1.1.2*"),
                slice("ns1/ep1", 2, "p13:13 p14:14", "10.1.1.3 10.1.1.4*"),
                slice("ns2/ep2", 1, "p21:21 p22:22", "10.2.2.1 10.2.2.2*"))
            .expect(
                "ns1/ep1:p11=10.1.1.1:11,10.1.1.2:11* ns1/ep1:p12=10.1.1.1:12,10.1.1.2:12*"
                    + " ns1/ep1:p13=10.1.1.3:13,10.1.1.4:13* ns1/ep1:p14=10.1.1.3:14,10.1.1.4:14*"
                    + " ns2/ep2:p21=10.2.2.1:21,10.2.2.2:21* ns2/ep2:p22=10.2.2.1:22,10.2.2.2:22*")
            .localEndpoints("ns1/ep1=2 ns2/ep2=1"),
        new Case("add an Endpoints")
            .had("")
            .after(NAMED_PORT_LOCAL)
            .expect("ns1/ep1:p11=10.1.1.1:11*")
            .localEndpoints("ns1/ep1=1"),
        new Case("remove an Endpoints")
            .before(NAMED_PORT_LOCAL)
            .had("ns1/ep1:p11=10.1.1.1:11*")
            .expect("")
            .localEndpoints(""),
        new Case("add an IP and port")
            .before(SUBSET_1)
            .had("ns1/ep1:p11=10.1.1.1:11")
            .after(NAMED_PORTS_LOCAL_NO_LOCAL)
            .expect("ns1/ep1:p11=10.1.1.1:11,10.1.1.2:11* ns1/ep1:p12=10.1.1.1:12,10.1.1.2:12*")
            .localEndpoints("ns1/ep1=1"),
        new Case("remove an IP and port")
            .before(NAMED_PORTS_LOCAL_NO_LOCAL)
            .had("ns1/ep1:p11=10.1.1.1:11,10.1.1.2:11* ns1/ep1:p12=10.1.1.1:12,10.1.1.2:12*")
            .after(SUBSET_1)
            .expect("ns1/ep1:p11=10.1.1.1:11")
            .localEndpoints(""),
        new Case("add a subset")
            .before(SUBSET_1)
            .had("ns1/ep1:p11=10.1.1.1:11")
            .after(SUBSET_1, slice("ns1/ep1", 2, "p12:12", "10.1.1.2*"))
            .expect("ns1/ep1:p11=10.1.1.1:11 ns1/ep1:p12=10.1.1.2:12*")
            .localEndpoints("ns1/ep1=1"),
        new Case("remove a subset")
            .before(SUBSET_1, SUBSET_2)
            .had("ns1/ep1:p11=10.1.1.1:11 ns1/ep1:p12=10.1.1.2:12")
            .after(SUBSET_1)
            .expect("ns1/ep1:p11=10.1.1.1:11")
            .localEndpoints(""),
        new Case("rename a port")
            .before(SUBSET_1)
            .had("ns1/ep1:p11=10.1.1.1:11")
            .after(slice("ns1/ep1", 1, "p11-2:11", "10.1.1.1"))
            .expect("ns1/ep1:p11-2=10.1.1.1:11")
            .localEndpoints(""),
        new Case("renumber a port")
            .before(SUBSET_1)
            .had("ns1/ep1:p11=10.1.1.1:11")
            .after(slice("ns1/ep1", 1, "p11:22", "10.1.1.1"))
            .expect("ns1/ep1:p11=10.1.1.1:22")
            .localEndpoints(""),
        new Case("complex add and remove")
            .before(
                SUBSET_1,
                slice("ns2/ep2", 1, "p22:22", "10.2.2.2* 10.2.2.22*"),
                slice("ns2/ep2", 2, "p23:23", "10.2.2.3*"),
                slice("ns4/ep4", 1, "p44:44", "10.4.4.4* 10.4.4.5*"),
                slice("ns4/ep4", 2, "p45:45", "10.4.4.6*"))
            .had(
                "ns1/ep1:p11=10.1.1.1:11 ns2/ep2:p22=10.2.2.2:22*,10.2.2.22:22*"
                    + " ns2/ep2:p23=10.2.2.3:23* ns4/ep4:p44=10.4.4.4:44*,10.4.4.5:44*"
                    + " ns4/ep4:p45=10.4.4.6:45*")
            .after(
                slice("ns1/ep1", 1, "p11:11", "10.1.1.1 10.1.1.11"),
                slice("ns1/ep1", 2, "p12:12 p122:122", "10.1.1.2"),
                slice("ns3/ep3", 1, "p33:33", "10.3.3.3"),
                slice("ns4/ep4", 1, "p44:44", "10.4.4.4*"))
            .expect(
                "ns1/ep1:p11=10.1.1.1:11,10.1.1.11:11 ns1/ep1:p12=10.1.1.2:12"
                    + " ns1/ep1:p122=10.1.1.2:122 ns3/ep3:p33=10.3.3.3:33"
                    + " ns4/ep4:p44=10.4.4.4:44*")
            .localEndpoints("ns4/ep4=1"),
        new Case("change from 0 endpoint address to 1 unnamed port")
            .had("")
            .after(SUBSET_1)
            .expect("ns1/ep1:p11=10.1.1.1:11")
            .localEndpoints(""));
  }

  @ParameterizedTest(name = "TestUpdateEndpointsMap: {0}")
  @MethodSource
  void updateEndpointsMap(Case test) {
    Compiler compiler = new Compiler(NODE);
    Map<String, ServiceState> before = test.states(test.before);
    compiler.update(before.values(), List.of());
    assertThat(map(compiler, before)).isEqualTo(test.had);

    Map<String, ServiceState> after = test.states(test.after);
    DesiredChange change = compiler.update(after.values(), List.of());
    assertThat(map(compiler, after)).isEqualTo(test.expected);
    assertThat(change.isEmpty()).isEqualTo(test.before.equals(test.after));
    assertThat(change.removed()).isEmpty();

    Map<String, Integer> local = new TreeMap<>();
    after.forEach(
        (name, state) -> {
          int endpoints = HealthCheck.localEndpoints(state, NODE);
          if (endpoints > 0) {
            local.put(name, endpoints);
          }
        });
    assertThat(text(local)).isEqualTo(test.localEndpoints);
  }

  /** The rows that have backends; those on the node with a star. */
  private static String map(Compiler compiler, Map<String, ServiceState> states) {
    Map<String, String> map = new TreeMap<>();
    for (ServiceRow row : compiler.desired().services().values()) {
      ServiceState state = requireNonNull(states.get(row.key().service().toString()));
      ServicePort port =
          state.service().ports().stream()
              .filter(p -> p.name().equals(row.key().port()))
              .findFirst()
              .orElseThrow();
      Selection selection =
          EndpointSelection.select(state.service(), port, IpFamily.IPV4, state.slices(), NODE);
      assertThat(row.backends()).isEqualTo(selection.cluster());
      if (!row.backends().isEmpty()) {
        map.put(
            row.key().service() + ":" + row.key().port(),
            row.backends().stream()
                .map(backend -> backend + (selection.local().contains(backend) ? "*" : ""))
                .collect(Collectors.joining(",")));
      }
    }
    return text(map);
  }

  private static String text(Map<String, ?> map) {
    return map.entrySet().stream()
        .map(entry -> entry.getKey() + "=" + entry.getValue())
        .sorted()
        .collect(Collectors.joining(" "));
  }

  /** A row of the table: slices before and after, and what they come to. */
  static final class Case {
    private final String name;
    private List<Slice> before = List.of();
    private List<Slice> after = List.of();
    private String had = "";
    private String expected = "";
    private String localEndpoints = "";

    Case(String name) {
      this.name = name;
    }

    private Case before(Slice... slices) {
      before = List.of(slices);
      return this;
    }

    private Case after(Slice... slices) {
      after = List.of(slices);
      return this;
    }

    Case had(String map) {
      had = sorted(map);
      return this;
    }

    Case expect(String map) {
      expected = sorted(map);
      return this;
    }

    Case localEndpoints(String map) {
      localEndpoints = map;
      return this;
    }

    private static String sorted(String map) {
      return Arrays.stream(map.split(" ")).sorted().collect(Collectors.joining(" "));
    }

    /** All Services of the case, with all their ports, and those of the slices that are there. */
    private Map<String, ServiceState> states(List<Slice> present) {
      List<Slice> all = new ArrayList<>(before);
      all.addAll(after);
      Map<String, ServiceState> states = new TreeMap<>();
      for (String name : all.stream().map(Slice::service).collect(Collectors.toSet())) {
        ServiceBuilder builder = service(name).clusterIps("172.30.0." + name.charAt(2));
        int number = 1000;
        for (String port : new TreeSet<>(ports(all, name))) {
          builder.port(port, Protocol.UDP, number++);
        }
        present.stream()
            .filter(slice -> slice.service.equals(name))
            .forEach(slice -> add(slice, builder));
        states.put(name, builder.build());
      }
      return states;
    }

    private static List<String> ports(List<Slice> slices, String service) {
      return slices.stream()
          .filter(slice -> slice.service.equals(service))
          .flatMap(slice -> slice.ports.stream())
          .map(port -> port.substring(0, port.indexOf(':')))
          .toList();
    }

    private static void add(Slice slice, ServiceBuilder to) {
      List<EndpointPort> ports =
          slice.ports.stream()
              .map(port -> port.split(":", 2))
              .map(p -> new EndpointPort(p[0], Protocol.UDP, Integer.parseInt(p[1])))
              .toList();
      Endpoint[] endpoints =
          slice.addresses.stream()
              .map(
                  a ->
                      a.endsWith("*")
                          ? on(NODE.nodeName(), ready(a.replace("*", "")))
                          : on("other-node", ready(a)))
              .toArray(Endpoint[]::new);
      to.slice(ports, endpoints);
    }

    @Override
    public String toString() {
      return name;
    }
  }

  @Test
  @DisplayName("TestHealthCheckNodePortWhenTerminating")
  void healthCheckNodePortWhenTerminating() {
    ServiceBuilder before =
        service("ns1/svc1")
            .clusterIps("172.30.1.1")
            .port(80)
            .slice(
                80,
                on("test-node", ready("10.0.1.1")),
                on("test-node", ready("10.0.1.2")),
                on("test-node", ready("10.0.1.3")),
                on("test-node", notReady("10.0.1.4")));
    assertThat(HealthCheck.localEndpoints(before.build(), NODE)).isEqualTo(3);
    ServiceBuilder terminating =
        service("ns1/svc1")
            .clusterIps("172.30.1.1")
            .port(80)
            .slice(
                80,
                // Serving, neither ready nor terminating, as upstream has it.
                on("test-node", new Endpoint(IpAddress.of("10.0.1.1"), false, true, false, "", "")),
                on("test-node", draining("10.0.1.2")),
                on("test-node", draining("10.0.1.3")),
                on("test-node", terminated("10.0.1.4")));
    assertThat(HealthCheck.localEndpoints(terminating.build(), NODE)).isZero();
  }

  static Stream<Local> getLocalEndpointIps() {
    return Stream.of(
        new Local("nothing", 0, s -> s),
        new Local("unnamed port", 0, s -> s.slice(11, on("other", ready("1.1.1.1")))),
        new Local("unnamed port local", 1, s -> s.slice(11, on("test-node", ready("1.1.1.1")))),
        new Local(
            "named local and non-local ports for the same IP",
            1,
            s ->
                s.slice("p11", 11, on("other", ready("1.1.1.1")), on("test-node", ready("1.1.1.2")))
                    .slice(
                        "p12",
                        12,
                        on("other", ready("1.1.1.1")),
                        on("test-node", ready("1.1.1.2")))),
        new Local(
            "named local and non-local ports for different IPs",
            3,
            s ->
                s.slice(
                        "p22",
                        22,
                        on("test-node", ready("2.2.2.2")),
                        on("test-node", ready("2.2.2.22")))
                    .slice("p23", 23, on("test-node", ready("2.2.2.3")))),
        new Local(
            "named local and non-local ports for different IPs, some not ready",
            2,
            s ->
                s.slice(
                        "p22",
                        22,
                        on("test-node", ready("2.2.2.2")),
                        on("test-node", ready("2.2.2.22")))
                    .slice("p23", 23, on("test-node", draining("2.2.2.3")))),
        new Local(
            "all endpoints are terminating",
            0,
            s ->
                s.slice(
                        "p22",
                        22,
                        on("test-node", draining("2.2.2.2")),
                        on("test-node", draining("2.2.2.22")))
                    .slice("p23", 23, on("test-node", draining("2.2.2.3")))),
        // From here on not in upstream's table, but in its code.
        new Local(
            "an address given to a new Pod, which is elsewhere",
            0,
            s ->
                s.slice(11, on("test-node", terminatingButReady("1.1.1.1")))
                    .slice(11, on("other", ready("1.1.1.1")))),
        new Local(
            "a slice without ports has no endpoints",
            0,
            s -> s.slice(List.of(), on("test-node", ready("1.1.1.1")))),
        new Local(
            "the larger of two families",
            2,
            s ->
                s.slice(11, on("test-node", ready("1.1.1.1")))
                    .slice(
                        11, on("test-node", ready("fd00::1")), on("test-node", ready("fd00::2")))));
  }

  /** As the API has it if the Service publishes addresses that are not ready. */
  private static Endpoint terminatingButReady(String address) {
    return new Endpoint(IpAddress.of(address), true, true, true, "", "");
  }

  /** A row of the table: how many local endpoints a Service has. */
  record Local(String name, int expected, UnaryOperator<ServiceBuilder> slices) {
    @Override
    public String toString() {
      return name;
    }
  }

  @ParameterizedTest(name = "TestGetLocalEndpointIPs: {0}")
  @MethodSource
  void getLocalEndpointIps(Local test) {
    ServiceState state = test.slices.apply(service("ns1/ep1").clusterIps("172.30.1.1")).build();
    assertThat(HealthCheck.localEndpoints(state, NODE)).isEqualTo(test.expected);
  }

  /** Rows of {@code TestEndpointsMapFromESC} that are not in the other tables. */
  @Test
  @DisplayName("TestEndpointsMapFromESC")
  void endpointsMapFromEsc() {
    assertThat(
            backends(
                service("ns1/svc1")
                    .slice("port-0", 80, ready("10.0.1.1"), ready("10.0.1.2"))
                    .slice("port-0", 80, ready("10.0.2.1"))))
        .as("2 slices, same port")
        .isEqualTo("10.0.1.1:80, 10.0.1.2:80, 10.0.2.1:80");
    assertThat(
            backends(
                service("ns1/svc1")
                    .slice("port-0", 80, ready("10.0.1.1"), ready("10.0.1.2"))
                    .slice("port-0", 80, ready("10.0.1.1"), ready("10.0.1.2"), ready("10.0.1.3"))))
        .as("2 overlapping slices, same port")
        .isEqualTo("10.0.1.1:80, 10.0.1.2:80, 10.0.1.3:80");
    assertThat(
            backends(
                service("ns1/svc1")
                    .slice("port-0", 80, ready("10.0.1.1"), ready("10.0.1.2"))
                    .slice("port-0", 8080, ready("10.0.1.1"), ready("10.0.1.2"))))
        .as("Different endpoints with duplicate IPs should not be filtered")
        .isEqualTo("10.0.1.1:80, 10.0.1.1:8080, 10.0.1.2:80, 10.0.1.2:8080");
    assertThat(backends(service("ns1/svc1").slice(List.of(), ready("10.0.1.1"))))
        .as("Nil port should not break anything")
        .isEmpty();
  }

  private static String backends(ServiceBuilder builder) {
    ServiceState state = builder.build();
    ServicePort port = new ServicePort("port-0", Protocol.TCP, 80, "80", 0);
    return EndpointSelection.select(state.service(), port, IpFamily.IPV4, state.slices(), NODE)
        .cluster()
        .stream()
        .map(Backend::toString)
        .collect(Collectors.joining(", "));
  }
}
