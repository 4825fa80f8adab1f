// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.manifest.ManifestObject.ServiceObject;
import dev.patchbay.manifest.NodePortAllocator.Refusal;
import dev.patchbay.manifest.NodePortAllocator.Result;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Protocol;
import dev.patchbay.model.Service;
import dev.patchbay.model.ServicePort;
import dev.patchbay.model.ServiceType;
import dev.patchbay.model.TrafficPolicy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.From;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class NodePortAllocatorTest {
  private static final PortRange RANGE = PortRange.DEFAULT_NODE_PORTS;
  private static final PortRange TINY = new PortRange(30000, 30009);

  private static ObjectKey key(String name) {
    return new ObjectKey("default", name);
  }

  private static ServicePort port(String name, int port, int nodePort) {
    return new ServicePort(name, Protocol.TCP, port, "8080", nodePort);
  }

  private static ServicePort udp(String name, int port, int nodePort) {
    return new ServicePort(name, Protocol.UDP, port, "8080", nodePort);
  }

  private static ServiceObject object(Service service, boolean opens) {
    return new ServiceObject(
        new ObjectId(ObjectId.Kind.SERVICE, service.key()),
        new Origin("a.yaml", 1),
        service,
        List.of(),
        List.of(),
        opens,
        false);
  }

  private static ServiceObject service(String name, long created, ServicePort... ports) {
    return object(
        Service.builder(key(name))
            .type(ServiceType.NODE_PORT)
            .ports(List.of(ports))
            .createdMillis(created)
            .build(),
        true);
  }

  private static ServiceObject service(String name, ServicePort... ports) {
    return service(name, Long.MAX_VALUE, ports);
  }

  private static ServiceObject open(String name) {
    return service(name, port("", 80, 0));
  }

  private static ServiceObject fixed(String name, int nodePort) {
    return service(name, port("", 80, nodePort));
  }

  /** A load balancer with policy Local, which needs a health check node port. */
  private static ServiceObject checked(
      String name, boolean opens, int healthCheck, ServicePort... ports) {
    return object(
        Service.builder(key(name))
            .type(ServiceType.LOAD_BALANCER)
            .externalPolicy(TrafficPolicy.LOCAL)
            .ports(List.of(ports))
            .healthCheckNodePort(healthCheck)
            .build(),
        opens);
  }

  private static Result allocate(Result before, ServiceObject... services) {
    return NodePortAllocator.allocate(List.of(services), before.remembered(), RANGE);
  }

  private static Result allocate(ServiceObject... services) {
    return allocate(new Result(Map.of(), Map.of(), Map.of()), services);
  }

  /** The node ports of a Service, in the order of its ports; then that for health checks. */
  private static List<Integer> numbers(Result result, String name) {
    NodePorts ports = result.ports().getOrDefault(key(name), NodePorts.NONE);
    List<Integer> numbers = new ArrayList<>();
    ports.ports().forEach(e -> numbers.add(e.nodePort()));
    if (ports.healthCheck() != 0) {
      numbers.add(ports.healthCheck());
    }
    return numbers;
  }

  @Provide
  Arbitrary<ServiceObject> services() {
    Arbitrary<String> names = Arbitraries.integers().between(0, 7).map(i -> "svc-" + i);
    Arbitrary<Long> created = Arbitraries.of(1L, 2L, Long.MAX_VALUE);
    Arbitrary<Integer> demand = Arbitraries.integers().between(-6, 9).map(n -> Math.max(0, n));
    Arbitrary<Integer> number = demand.map(n -> n == 0 ? 0 : 30000 + n);
    Arbitrary<Boolean> yes = Arbitraries.of(true, false);
    return Combinators.combine(names, created, number, number, number, yes, yes, yes)
        .as(
            (name, time, first, second, health, opens, same, checked) -> {
              List<ServicePort> ports = new ArrayList<>();
              ports.add(port("a", 53, first));
              ports.add(udp("b", same ? 53 : 54, second));
              boolean clash = health != 0 && (health.equals(first) || health.equals(second));
              return object(
                  Service.builder(key(name))
                      .type(checked ? ServiceType.LOAD_BALANCER : ServiceType.NODE_PORT)
                      .externalPolicy(checked ? TrafficPolicy.LOCAL : TrafficPolicy.CLUSTER)
                      .healthCheckNodePort(checked && !clash ? health : 0)
                      .ports(ports)
                      .createdMillis(time)
                      .build(),
                  opens);
            });
  }

  private static List<ServiceObject> distinct(List<ServiceObject> services) {
    Map<ObjectKey, ServiceObject> byKey = new HashMap<>();
    services.forEach(s -> byKey.put(s.key(), s));
    return new ArrayList<>(byKey.values());
  }

  @Property
  void orderDoesNotMatter(
      @ForAll @Size(max = 12) List<@From("services") ServiceObject> services, @ForAll long seed) {
    List<ServiceObject> some = distinct(services);
    Result expected = NodePortAllocator.allocate(some, Map.of(), TINY);
    Collections.shuffle(some, new Random(seed));
    assertThat(NodePortAllocator.allocate(some, Map.of(), TINY)).isEqualTo(expected);
  }

  @Property
  void noNumberHasTwoOwnersAndAllAreInRange(
      @ForAll @Size(max = 12) List<@From("services") ServiceObject> services,
      @ForAll @Size(max = 12) List<@From("services") ServiceObject> later) {
    Result first = NodePortAllocator.allocate(distinct(services), Map.of(), TINY);
    Result second = NodePortAllocator.allocate(distinct(later), first.remembered(), TINY);
    for (Result result : List.of(first, second)) {
      Set<Integer> seen = new HashSet<>();
      result
          .ports()
          .forEach(
              (key, ports) -> {
                Set<Integer> mine = new HashSet<>(numbers(result, key.name()));
                assertThat(mine).allMatch(TINY::contains).allMatch(seen::add);
                assertThat(ports.ports()).noneMatch(e -> e.nodePort() == ports.healthCheck());
              });
    }
  }

  @Property
  void whoHasANumberKeepsItWhoeverComes(
      @ForAll @Size(max = 12) List<@From("services") ServiceObject> services,
      @ForAll @Size(max = 12) List<@From("services") ServiceObject> more) {
    List<ServiceObject> some = distinct(services);
    Result first = NodePortAllocator.allocate(some, Map.of(), TINY);
    List<ServiceObject> all = new ArrayList<>(more);
    all.addAll(some); // those that were there replace newcomers of the same name
    Result second = NodePortAllocator.allocate(distinct(all), first.remembered(), TINY);
    first
        .ports()
        .forEach(
            (key, _) ->
                assertThat(numbers(second, key.name())).containsAll(numbers(first, key.name())));
  }

  @Property
  void repeatingChangesNothing(
      @ForAll @Size(max = 12) List<@From("services") ServiceObject> services) {
    List<ServiceObject> some = distinct(services);
    Result first = NodePortAllocator.allocate(some, Map.of(), TINY);
    assertThat(NodePortAllocator.allocate(some, first.remembered(), TINY)).isEqualTo(first);
  }

  @Property
  void eachDemandIsMetOrRefused(
      @ForAll @Size(max = 12) List<@From("services") ServiceObject> services) {
    List<ServiceObject> some = distinct(services);
    Result result = NodePortAllocator.allocate(some, Map.of(), TINY);
    for (ServiceObject service : some) {
      List<Refusal> refusals = result.refusals().getOrDefault(service.key(), List.of());
      NodePorts ports = result.ports().getOrDefault(service.key(), NodePorts.NONE);
      for (ServicePort port : service.written().ports()) {
        if (port.nodePort() != 0) {
          assertThat(
                  ports.of(port) == port.nodePort()
                      || refusals.stream().anyMatch(r -> r.demanded() == port.nodePort()))
              .isTrue();
        } else if (!service.opensNodePorts()) {
          assertThat(ports.of(port)).isZero();
        } else {
          assertThat(ports.of(port) != 0 || !refusals.isEmpty()).isTrue();
        }
      }
    }
  }

  @Test
  void aNumberThatIsInUseIsNotTakenByADemand() {
    Result before = allocate(open("a"));
    int taken = numbers(before, "a").getFirst();
    Result after = allocate(before, open("a"), fixed("b", taken));
    assertThat(numbers(after, "a")).containsExactly(taken);
    assertThat(numbers(after, "b")).isEmpty();
    assertThat(after.refusals().get(key("b")))
        .containsExactly(new Refusal("spec.ports[0].nodePort", taken, key("a"), 0));
  }

  @Test
  void ofTwoDemandsTheOlderServiceWins() {
    Result result =
        allocate(service("a", 2000, port("", 80, 30005)), service("b", 1000, port("", 80, 30005)));
    assertThat(numbers(result, "a")).isEmpty();
    assertThat(numbers(result, "b")).containsExactly(30005);
  }

  @Test
  void aNumberBelongsToOneServiceForAllProtocols() {
    Result result = allocate(service("a", port("", 80, 30005)), service("b", udp("", 80, 30005)));
    assertThat(numbers(result, "b")).isEmpty();
    assertThat(result.refusals().get(key("b")))
        .containsExactly(new Refusal("spec.ports[0].nodePort", 30005, key("a"), 0));
  }

  @Test
  void portsOfOneNumberShareTheirNodePort() {
    List<Integer> open = numbers(allocate(service("a", port("t", 53, 0), udp("u", 53, 0))), "a");
    assertThat(open).hasSize(2);
    assertThat(open.get(0)).isEqualTo(open.get(1));
    assertThat(numbers(allocate(service("a", port("t", 53, 0), udp("u", 53, 30053))), "a"))
        .containsExactly(30053, 30053);
    assertThat(numbers(allocate(service("a", port("t", 80, 0), port("u", 81, 0))), "a"))
        .doesNotHaveDuplicates()
        .hasSize(2);
  }

  @Test
  void portsOfDifferentProtocolsMayDemandOneNumber() {
    assertThat(numbers(allocate(service("a", port("t", 80, 30080), udp("u", 443, 30080))), "a"))
        .containsExactly(30080, 30080);
  }

  @Test
  void aRefusedMoveLeavesThePortWhereItWas() {
    Result before = allocate(fixed("a", 30005), fixed("b", 30006));
    Result after = allocate(before, fixed("a", 30006), fixed("b", 30006));
    assertThat(numbers(after, "a")).containsExactly(30005);
    assertThat(after.refusals().get(key("a")))
        .containsExactly(new Refusal("spec.ports[0].nodePort", 30006, key("b"), 30005));
  }

  @Test
  void twoServicesCanSwap() {
    Result before = allocate(fixed("a", 30005), fixed("b", 30006));
    Result after = allocate(before, fixed("a", 30006), fixed("b", 30005));
    assertThat(numbers(after, "a")).containsExactly(30006);
    assertThat(numbers(after, "b")).containsExactly(30005);
  }

  @Test
  void aPortKeepsItsNumberWhenItsNameOrItsOwnNumberChanges() {
    Result before = allocate(service("a", port("x", 80, 0), port("y", 81, 0)));
    List<Integer> numbers = numbers(before, "a");
    assertThat(numbers(allocate(before, service("a", port("web", 80, 0), port("y", 81, 0))), "a"))
        .isEqualTo(numbers);
    assertThat(numbers(allocate(before, service("a", port("x", 8080, 0), port("y", 81, 0))), "a"))
        .isEqualTo(numbers);
    assertThat(numbers(allocate(before, service("a", port("y", 81, 0), port("x", 80, 0))), "a"))
        .containsExactly(numbers.get(1), numbers.get(0));
  }

  @Test
  void withinAServiceADemandTakesANumberFromAPortThatWouldKeepIt() {
    Result before = allocate(service("a", port("x", 80, 0)));
    int number = numbers(before, "a").getFirst();
    List<Integer> after =
        numbers(allocate(before, service("a", port("x", 80, 0), port("y", 81, number))), "a");
    assertThat(after).hasSize(2).doesNotHaveDuplicates();
    assertThat(after.get(1)).isEqualTo(number);
    assertThat(numbers(allocate(before, checked("a", true, number, port("x", 80, 0))), "a"))
        .hasSize(2)
        .doesNotHaveDuplicates()
        .endsWith(number);
  }

  @Test
  void aServiceThatComesBackGetsItsNumber() {
    Result before = allocate(fixed("a", 30005), open("b"));
    Result without = allocate(before, open("b"));
    assertThat(numbers(without, "a")).isEmpty();
    assertThat(numbers(allocate(without, open("a"), open("b")), "a")).containsExactly(30005);
  }

  @Test
  void theNumberOfAServiceThatIsGoneIsFree() {
    Result before = allocate(fixed("a", 30005));
    Result other = allocate(before, fixed("b", 30005));
    assertThat(numbers(other, "b")).containsExactly(30005);
    assertThat(other.remembered()).doesNotContainKey(key("a"));
  }

  @Test
  void aPortThatIsNotOpenedHasItsNumberOnlyIfItDemandsOne() {
    ServiceObject service = checked("a", false, 0, port("x", 80, 0), port("y", 81, 30081));
    NodePorts ports = allocate(service).ports().getOrDefault(key("a"), NodePorts.NONE);
    assertThat(ports.ports()).containsExactly(new NodePorts.Entry("y", 81, 30081));

    Result open = allocate(service("a", port("x", 80, 0), port("y", 81, 30081)));
    assertThat(numbers(open, "a")).hasSize(2);
    assertThat(allocate(open, service).ports().get(key("a"))).isEqualTo(ports);
  }

  @Test
  void healthChecksHaveANumberOfTheirOwn() {
    Result open = allocate(checked("a", true, 0, port("", 80, 0)));
    assertThat(numbers(open, "a")).hasSize(2).doesNotHaveDuplicates();
    assertThat(allocate(open, checked("a", true, 0, port("", 80, 0)))).isEqualTo(open);
    assertThat(numbers(allocate(checked("a", true, 31000, port("", 80, 30080))), "a"))
        .containsExactly(30080, 31000);
    Result taken = allocate(fixed("a", 31000), checked("b", false, 31000, port("", 80, 0)));
    assertThat(taken.refusals().get(key("b")))
        .containsExactly(new Refusal("spec.healthCheckNodePort", 31000, key("a"), 0));
  }

  @Test
  void aFullRangeIsToldAndHelpedByAnyServiceThatGoes() {
    List<ServiceObject> services = new ArrayList<>();
    for (int i = 0; i < 11; i++) {
      services.add(open("svc-" + (char) ('a' + i)));
    }
    Result full = NodePortAllocator.allocate(services, Map.of(), TINY);
    assertThat(full.ports()).hasSize(10);
    assertThat(full.refusals())
        .containsOnlyKeys(key("svc-k"))
        .containsValue(List.of(new Refusal("spec.ports[0].nodePort", 0, null, 0)));
    services.removeFirst();
    Result after = NodePortAllocator.allocate(services, full.remembered(), TINY);
    assertThat(after.refusals()).isEmpty();
  }

  @Test
  void anotherRangeMovesEverybodyIntoIt() {
    Result before = allocate(open("a"));
    PortRange other = new PortRange(20000, 20031);
    Result after = NodePortAllocator.allocate(List.of(open("a")), before.remembered(), other);
    assertThat(numbers(after, "a")).hasSize(1).allMatch(other::contains);
  }

  @Test
  void theLowerPartOfARangeIsLeftToPeople() {
    List<ServiceObject> services = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      services.add(open("svc-" + i));
    }
    Result result = NodePortAllocator.allocate(services, Map.of(), RANGE);
    assertThat(result.ports().values())
        .hasSize(500)
        .allSatisfy(p -> assertThat(p.ports().getFirst().nodePort()).isGreaterThanOrEqualTo(30086));
  }
}
