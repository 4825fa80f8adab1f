// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.manifest.ClusterIpAllocator.Refusal;
import dev.patchbay.manifest.ClusterIpAllocator.Result;
import dev.patchbay.manifest.ManifestObject.ServiceObject;
import dev.patchbay.model.Cidr;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Service;
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
import net.jqwik.api.ForAll;
import net.jqwik.api.From;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class ClusterIpAllocatorTest {
  private static final Cidr TINY = new Cidr(IpAddress.of("10.0.0.0"), 28);
  private static final List<Cidr> BOTH = List.of(TINY, new Cidr(IpAddress.of("fd00::"), 124));

  private static ServiceObject service(
      String name, long created, List<IpFamily> families, String... addresses) {
    List<IpAddress> demanded = new ArrayList<>();
    for (String address : addresses) {
      demanded.add(IpAddress.of(address));
    }
    return new ServiceObject(
        new ObjectId(ObjectId.Kind.SERVICE, new ObjectKey("default", name)),
        new Origin("a.yaml", 1),
        Service.builder(new ObjectKey("default", name)).createdMillis(created).build(),
        families,
        demanded,
        false,
        false);
  }

  private static ServiceObject open(String name) {
    return service(name, Long.MAX_VALUE, List.of(IpFamily.IPV4));
  }

  private static ServiceObject fixed(String name, String address) {
    return service(name, Long.MAX_VALUE, List.of(IpFamily.IPV4), address);
  }

  private static Result allocate(Result before, ServiceObject... services) {
    return ClusterIpAllocator.allocate(List.of(services), before.remembered(), List.of(TINY));
  }

  private static Result allocate(ServiceObject... services) {
    return allocate(new Result(Map.of(), Map.of(), Map.of()), services);
  }

  private static String address(Result result, String name) {
    return String.join(
        ",",
        result.addresses().getOrDefault(new ObjectKey("default", name), List.of()).stream()
            .map(IpAddress::toString)
            .toList());
  }

  @Provide
  Arbitrary<ServiceObject> services() {
    Arbitrary<String> names = Arbitraries.integers().between(0, 15).map(i -> "svc-" + i);
    Arbitrary<List<IpFamily>> families =
        Arbitraries.of(
            List.of(IpFamily.IPV4),
            List.of(IpFamily.IPV6),
            List.of(IpFamily.IPV4, IpFamily.IPV6),
            List.of(IpFamily.IPV6, IpFamily.IPV4));
    Arbitrary<Integer> demands = Arbitraries.integers().between(-10, 14);
    Arbitrary<Long> created = Arbitraries.of(1L, 2L, Long.MAX_VALUE);
    return names.flatMap(
        name ->
            families.flatMap(
                wanted ->
                    demands.flatMap(
                        demand ->
                            created.map(
                                time ->
                                    demand < 1
                                        ? service(name, time, wanted)
                                        : service(
                                            name,
                                            time,
                                            wanted,
                                            wanted.getFirst() == IpFamily.IPV4
                                                ? "10.0.0." + demand
                                                : "fd00::" + Integer.toHexString(demand))))));
  }

  private static List<ServiceObject> distinct(List<ServiceObject> services) {
    Map<ObjectKey, ServiceObject> byKey = new HashMap<>();
    services.forEach(s -> byKey.put(s.key(), s));
    return new ArrayList<>(byKey.values());
  }

  @Property
  void orderDoesNotMatter(
      @ForAll @Size(max = 20) List<@From("services") ServiceObject> services, @ForAll long seed) {
    List<ServiceObject> some = distinct(services);
    Result expected = ClusterIpAllocator.allocate(some, Map.of(), BOTH);
    Collections.shuffle(some, new Random(seed));
    assertThat(ClusterIpAllocator.allocate(some, Map.of(), BOTH)).isEqualTo(expected);
  }

  @Property
  void noAddressTwiceAndAllInRange(
      @ForAll @Size(max = 20) List<@From("services") ServiceObject> services,
      @ForAll @Size(max = 20) List<@From("services") ServiceObject> later) {
    Result first = ClusterIpAllocator.allocate(distinct(services), Map.of(), BOTH);
    Result second = ClusterIpAllocator.allocate(distinct(later), first.remembered(), BOTH);
    for (Result result : List.of(first, second)) {
      Set<IpAddress> seen = new HashSet<>();
      result
          .addresses()
          .values()
          .forEach(
              list ->
                  list.forEach(
                      a -> {
                        assertThat(seen.add(a)).as("%s is given once", a).isTrue();
                        assertThat(BOTH).anyMatch(r -> r.contains(a));
                        assertThat(a.toString()).isNotIn("10.0.0.0", "10.0.0.15", "fd00::");
                      }));
    }
  }

  @Property
  void whoHasAnAddressKeepsItWhoeverComes(
      @ForAll @Size(max = 20) List<@From("services") ServiceObject> services,
      @ForAll @Size(max = 20) List<@From("services") ServiceObject> more) {
    List<ServiceObject> some = distinct(services);
    Result first = ClusterIpAllocator.allocate(some, Map.of(), BOTH);
    List<ServiceObject> all = new ArrayList<>(more);
    all.addAll(some); // those that were there replace newcomers of the same name
    Result second = ClusterIpAllocator.allocate(distinct(all), first.remembered(), BOTH);
    first
        .addresses()
        .forEach(
            (key, addresses) -> assertThat(second.addresses().get(key)).containsAll(addresses));
  }

  @Property
  void repeatingChangesNothing(
      @ForAll @Size(max = 20) List<@From("services") ServiceObject> services) {
    List<ServiceObject> some = distinct(services);
    Result first = ClusterIpAllocator.allocate(some, Map.of(), BOTH);
    assertThat(ClusterIpAllocator.allocate(some, first.remembered(), BOTH)).isEqualTo(first);
  }

  @Test
  void anAddressThatIsInUseIsNotTakenByADemand() {
    Result before = allocate(open("a"));
    String taken = address(before, "a");
    Result after = allocate(before, open("a"), fixed("b", taken));
    assertThat(address(after, "a")).isEqualTo(taken);
    assertThat(address(after, "b")).isEmpty();
    assertThat(after.refusals().get(new ObjectKey("default", "b")))
        .containsExactly(
            new Refusal(IpFamily.IPV4, IpAddress.of(taken), new ObjectKey("default", "a"), null));
  }

  @Test
  void ofTwoDemandsTheOlderServiceWins() {
    Result result =
        allocate(
            service("a", 2000, List.of(IpFamily.IPV4), "10.0.0.5"),
            service("b", 1000, List.of(IpFamily.IPV4), "10.0.0.5"));
    assertThat(address(result, "a")).isEmpty();
    assertThat(address(result, "b")).isEqualTo("10.0.0.5");
  }

  @Test
  void aRefusedMoveLeavesTheServiceWhereItWas() {
    Result before = allocate(fixed("a", "10.0.0.5"), fixed("b", "10.0.0.6"));
    Result after = allocate(before, fixed("a", "10.0.0.6"), fixed("b", "10.0.0.6"));
    assertThat(address(after, "a")).isEqualTo("10.0.0.5");
    assertThat(after.refusals().get(new ObjectKey("default", "a")))
        .containsExactly(
            new Refusal(
                IpFamily.IPV4,
                IpAddress.of("10.0.0.6"),
                new ObjectKey("default", "b"),
                IpAddress.of("10.0.0.5")));
  }

  @Test
  void twoServicesCanSwap() {
    Result before = allocate(fixed("a", "10.0.0.5"), fixed("b", "10.0.0.6"));
    Result after = allocate(before, fixed("a", "10.0.0.6"), fixed("b", "10.0.0.5"));
    assertThat(address(after, "a")).isEqualTo("10.0.0.6");
    assertThat(address(after, "b")).isEqualTo("10.0.0.5");
  }

  @Test
  void aServiceThatComesBackGetsItsAddress() {
    Result before = allocate(fixed("a", "10.0.0.5"), open("b"));
    Result without = allocate(before, open("b"));
    assertThat(address(without, "a")).isEmpty();
    Result back = allocate(without, open("a"), open("b"));
    assertThat(address(back, "a")).isEqualTo("10.0.0.5");
  }

  @Test
  void theAddressOfAServiceThatIsGoneIsFree() {
    Result before = allocate(fixed("a", "10.0.0.5"));
    Result other = allocate(before, fixed("b", "10.0.0.5"));
    assertThat(address(other, "b")).isEqualTo("10.0.0.5");
    assertThat(other.remembered()).doesNotContainKey(new ObjectKey("default", "a"));
  }

  @Test
  void aFullRangeIsToldAndHelpedByAnyServiceThatGoes() {
    List<ServiceObject> services = new ArrayList<>();
    for (int i = 0; i < 15; i++) {
      services.add(open("svc-" + (char) ('a' + i)));
    }
    Result full = ClusterIpAllocator.allocate(services, Map.of(), List.of(TINY));
    assertThat(full.addresses()).hasSize(14);
    assertThat(full.refusals())
        .containsOnlyKeys(new ObjectKey("default", "svc-o"))
        .containsValue(List.of(new Refusal(IpFamily.IPV4, null, null, null)));
    services.removeFirst();
    Result after = ClusterIpAllocator.allocate(services, full.remembered(), List.of(TINY));
    assertThat(after.refusals()).isEmpty();
  }

  @Test
  void anotherRangeMovesEverybodyIntoIt() {
    Result before = allocate(open("a"));
    Cidr other = new Cidr(IpAddress.of("10.7.0.0"), 24);
    Result after =
        ClusterIpAllocator.allocate(List.of(open("a")), before.remembered(), List.of(other));
    assertThat(after.addresses().get(new ObjectKey("default", "a")))
        .allMatch(other::contains)
        .hasSize(1);
  }

  @Test
  void theLowerPartOfARangeIsLeftToPeople() {
    List<ServiceObject> services = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      services.add(open("svc-" + i));
    }
    Cidr range = new Cidr(IpAddress.of("10.96.0.0"), 16);
    Result result = ClusterIpAllocator.allocate(services, Map.of(), List.of(range));
    assertThat(result.addresses().values())
        .allSatisfy(
            list -> assertThat(list.getFirst()).isGreaterThanOrEqualTo(IpAddress.of("10.96.1.0")));
  }
}
