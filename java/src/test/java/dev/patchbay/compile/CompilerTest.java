// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.compile;

import static dev.patchbay.model.IpFamily.IPV4;
import static dev.patchbay.testkit.ServiceBuilder.forZones;
import static dev.patchbay.testkit.ServiceBuilder.on;
import static dev.patchbay.testkit.ServiceBuilder.ready;
import static dev.patchbay.testkit.ServiceBuilder.service;
import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.model.Cidr;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Protocol;
import dev.patchbay.model.ServicePortKey;
import dev.patchbay.model.ServiceState;
import dev.patchbay.model.TrafficPolicy;
import dev.patchbay.table.DesiredChange;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.FrontendValue;
import dev.patchbay.table.ServiceRow;
import dev.patchbay.testkit.ServiceBuilder;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class CompilerTest {
  private final Compiler compiler = new Compiler(NodeFacts.named("node"));

  private DesiredChange upsert(ServiceBuilder... services) {
    return compiler.update(Arrays.stream(services).map(ServiceBuilder::build).toList(), List.of());
  }

  private DesiredChange remove(String name) {
    return compiler.update(List.of(), List.of(new ObjectKey("default", name)));
  }

  private static List<String> rows(DesiredChange change) {
    return change.upserted().stream().map(CompilerTest::text).toList();
  }

  private static String text(ServiceRow row) {
    return row.key().service().name() + " " + row.frontends() + " -> " + row.backends();
  }

  private static List<String> names(Set<ServicePortKey> keys) {
    return keys.stream().map(k -> k.service().name()).sorted().toList();
  }

  private List<String> rejections() {
    return compiler.rejections().stream()
        .map(r -> r.who().service().name() + ": " + r.sentence())
        .toList();
  }

  private static ServiceBuilder a() {
    return service("a").clusterIps("10.96.0.1").port(80);
  }

  @Test
  void newServiceThenTheSameAgainThenGone() {
    ServiceBuilder kubia = a().slice(8080, ready("10.0.0.1"));
    DesiredChange first = upsert(kubia);
    assertThat(rows(first)).containsExactly("a [10.96.0.1:80/tcp] -> [10.0.0.1:8080]");
    assertThat(first.wildcards().keySet().toString()).isEqualTo("[10.96.0.1:*]");
    assertThat(upsert(kubia).isEmpty()).isTrue();
    DesiredChange gone = remove("a");
    assertThat(names(gone.removed())).containsExactly("a");
    assertThat(gone.unwanted().toString()).isEqualTo("[10.96.0.1:*]");
    assertThat(compiler.desired().services()).isEmpty();
    assertThat(compiler.desired().wildcards()).isEmpty();
    assertThat(remove("a").isEmpty()).isTrue();
  }

  @Test
  void changedEndpointChangesOneRowOnly() {
    upsert(
        a().port("udp", Protocol.UDP, 80).slice(8080, ready("10.0.0.1")),
        service("b").clusterIps("10.96.0.2").port(80));
    DesiredChange change =
        upsert(a().port("udp", Protocol.UDP, 80).slice(8080, ready("10.0.0.1"), ready("10.0.0.2")));
    assertThat(rows(change))
        .containsExactly("a [10.96.0.1:80/tcp] -> [10.0.0.1:8080, 10.0.0.2:8080]");
    assertThat(change.removed()).isEmpty();
    assertThat(change.wildcards()).isEmpty();
    assertThat(change.unwanted()).isEmpty();
  }

  @Test
  void newAddress() {
    upsert(a());
    DesiredChange change = upsert(service("a").clusterIps("10.96.0.9").port(80));
    assertThat(rows(change)).containsExactly("a [10.96.0.9:80/tcp] -> []");
    assertThat(change.wildcards().keySet().toString()).isEqualTo("[10.96.0.9:*]");
    assertThat(change.unwanted().toString()).isEqualTo("[10.96.0.1:*]");
  }

  @Test
  void olderServiceWinsInAnyOrderAndTheLoserIsTold() {
    ServiceBuilder younger = a().created(2);
    ServiceBuilder older = service("z").clusterIps("10.96.0.1").port(80).created(1);
    upsert(younger);
    DesiredChange change = upsert(older);
    assertThat(rows(change)).containsExactly("z [10.96.0.1:80/tcp] -> []");
    assertThat(names(change.removed())).containsExactly("a");
    assertThat(change.wildcards()).isEmpty();
    assertThat(rejections())
        .containsExactly(
            "a: frontend 10.96.0.1:80/tcp belongs to default/z/tcp (IPv4), which takes precedence");

    Compiler other = new Compiler(NodeFacts.named("node"));
    other.update(List.of(older.build()), List.of());
    assertThat(other.update(List.of(younger.build()), List.of()).isEmpty()).isTrue();
    assertThat(other.desired()).isEqualTo(compiler.desired());
    assertThat(other.rejections()).isEqualTo(compiler.rejections());
  }

  @Test
  void ofEqualAgeTheNameDecides() {
    upsert(service("b").clusterIps("10.96.0.1").port(80), a());
    assertThat(names(compiler.desired().services().keySet())).containsExactly("a");
  }

  @Test
  void loserGetsTheFrontendWhenTheWinnerGoes() {
    upsert(
        a().created(1),
        service("b").clusterIps("10.96.0.1").port(80).created(2),
        service("c").clusterIps("10.96.0.1").port(80).created(3));
    DesiredChange change = remove("a");
    assertThat(rows(change)).containsExactly("b [10.96.0.1:80/tcp] -> []");
    assertThat(names(change.removed())).containsExactly("a");
    assertThat(change.unwanted()).isEmpty();
    assertThat(rejections()).hasSize(1).first().asString().startsWith("c: ");
    assertThat(rows(remove("b"))).containsExactly("c [10.96.0.1:80/tcp] -> []");
    assertThat(rejections()).isEmpty();
  }

  @Test
  void loserGetsTheFrontendWhenTheWinnerMovesAway() {
    upsert(a().created(1), service("b").clusterIps("10.96.0.1").port(80).created(2));
    DesiredChange change = upsert(service("a").clusterIps("10.96.0.1").port(81).created(1));
    assertThat(rows(change))
        .containsExactly("a [10.96.0.1:81/tcp] -> []", "b [10.96.0.1:80/tcp] -> []");
    assertThat(change.removed()).isEmpty();
    assertThat(rejections()).isEmpty();
  }

  @Test
  void loserOfOneFrontendKeepsTheOthers() {
    upsert(a().created(1));
    DesiredChange change =
        upsert(
            service("b")
                .clusterIps("10.96.0.1", "10.96.0.2")
                .port(80)
                .created(2)
                .slice(8080, ready("10.0.0.1")));
    assertThat(rows(change)).containsExactly("b [10.96.0.2:80/tcp] -> [10.0.0.1:8080]");
  }

  @Test
  void winnerThatGrowsYoungerLoses() {
    upsert(a().created(1), service("b").clusterIps("10.96.0.1").port(80).created(2));
    DesiredChange change = upsert(a().created(3));
    assertThat(rows(change)).containsExactly("b [10.96.0.1:80/tcp] -> []");
    assertThat(names(change.removed())).containsExactly("a");
  }

  @Test
  void winnerThatOnlyChangesItsEndpointsKeepsTheFrontend() {
    upsert(a().created(1), service("b").clusterIps("10.96.0.1").port(80).created(2));
    DesiredChange change = upsert(a().created(1).slice(8080, ready("10.0.0.1")));
    assertThat(rows(change)).containsExactly("a [10.96.0.1:80/tcp] -> [10.0.0.1:8080]");
    assertThat(change.removed()).isEmpty();
  }

  @Test
  void addressSharedByTwoServicesRefusesUntilBothAreGone() {
    upsert(a(), service("b").clusterIps("10.96.0.1").port(81));
    assertThat(compiler.desired().services()).hasSize(2);
    assertThat(compiler.rejections()).isEmpty();
    assertThat(remove("a").unwanted()).isEmpty();
    assertThat(remove("b").unwanted()).extracting(FrontendKey::isWildcard).containsExactly(true);
  }

  @Test
  void addressHandedOverInOneUpdateStaysRefused() {
    upsert(a());
    DesiredChange change =
        compiler.update(
            List.of(service("b").clusterIps("10.96.0.1").port(80).build()),
            List.of(new ObjectKey("default", "a")));
    assertThat(rows(change)).containsExactly("b [10.96.0.1:80/tcp] -> []");
    assertThat(names(change.removed())).containsExactly("a");
    assertThat(change.wildcards()).isEmpty();
    assertThat(change.unwanted()).isEmpty();
  }

  @Test
  void upsertedBeatsRemovedAndTheLastOfSeveralCounts() {
    DesiredChange change =
        compiler.update(
            List.of(a().build(), a().slice(8080, ready("10.0.0.1")).build()),
            List.of(new ObjectKey("default", "a")));
    assertThat(rows(change)).containsExactly("a [10.96.0.1:80/tcp] -> [10.0.0.1:8080]");
  }

  @Test
  void rejectionsOfAServiceGoWithIt() {
    upsert(service("s").clusterIps("10.96.0.1").port("", Protocol.SCTP, 80));
    assertThat(rejections())
        .containsExactly("s: protocol SCTP is not supported; only TCP and UDP are");
    remove("s");
    assertThat(rejections()).isEmpty();
  }

  @Test
  void externalAddressesAreServedOnlyInTheRangesOfTheNode() {
    Compiler strict =
        new Compiler(
            new NodeFacts(
                "node", "", List.of(), List.of(Cidr.parse("192.0.2.0/25").orElseThrow())));
    ServiceState state =
        service("s")
            .clusterIps("10.96.0.1")
            .port(80)
            .externalIps("192.0.2.1", "192.0.2.129")
            .loadBalancerIps("198.51.100.1")
            .build();
    strict.update(List.of(state), List.of());
    assertThat(strict.desired().services().values())
        .singleElement()
        .satisfies(
            row ->
                assertThat(row.frontends().stream().map(FrontendKey::toString))
                    .containsExactly("10.96.0.1:80/tcp", "192.0.2.1:80/tcp"));
    assertThat(strict.rejections())
        .extracting(Rejection::sentence)
        .containsExactly(
            "external address 192.0.2.129 is not served: it lies outside of"
                + " --external-address-cidrs",
            "external address 198.51.100.1 is not served: it lies outside of"
                + " --external-address-cidrs");
  }

  private static NodeFacts facts(String zone, String... addresses) {
    return new NodeFacts("node", zone, Arrays.stream(addresses).map(IpAddress::of).toList());
  }

  private Map<String, FrontendValue> wildcards() {
    Map<String, FrontendValue> wildcards = new TreeMap<>();
    compiler.desired().wildcards().forEach((key, value) -> wildcards.put(key.toString(), value));
    return wildcards;
  }

  private List<String> rows() {
    return compiler.desired().services().values().stream()
        .sorted(Comparator.comparing(ServiceRow::key))
        .map(row -> row.key() + " " + row.frontends() + " -> " + row.backends())
        .toList();
  }

  @Test
  void olderServiceWinsExternalAddressesAndNodePorts() {
    upsert(
        service("a")
            .clusterIps("10.96.0.1")
            .externalIps("198.51.100.1")
            .nodePort("", Protocol.TCP, 80, 30080)
            .created(2),
        service("b")
            .clusterIps("10.96.0.2")
            .loadBalancerIps("198.51.100.1")
            .nodePort("", Protocol.TCP, 80, 30080)
            .created(1));
    assertThat(rows())
        .containsExactly(
            "default/a/tcp (IPv4) [10.96.0.1:80/tcp] -> []",
            "default/b/tcp (IPv4)"
                + " [0.0.0.0:30080/tcp, 10.96.0.2:80/tcp, 198.51.100.1:80/tcp] -> []");
    assertThat(rejections())
        .containsExactly(
            "a: frontend 0.0.0.0:30080/tcp belongs to default/b/tcp (IPv4),"
                + " which takes precedence",
            "a: frontend 198.51.100.1:80/tcp belongs to default/b/tcp (IPv4),"
                + " which takes precedence");
    assertThat(compiler.owner(FrontendKey.nodePort(IPV4, 30080, Protocol.TCP)))
        .hasValue(new ServicePortKey(new ObjectKey("default", "b"), "", Protocol.TCP, IPV4));
    remove("b");
    assertThat(rows())
        .containsExactly(
            "default/a/tcp (IPv4)"
                + " [0.0.0.0:30080/tcp, 10.96.0.1:80/tcp, 198.51.100.1:80/tcp] -> []");
  }

  @Test
  void aClusterIpIsNobodyElsesExternalAddressHoweverOldHeIs() {
    ServiceBuilder thief =
        service("thief")
            .clusterIps("10.96.0.9")
            .externalIps("10.96.0.1")
            .port("a", Protocol.TCP, 80)
            .port("b", Protocol.TCP, 81)
            .created(1);
    upsert(thief);
    assertThat(rows())
        .containsExactly(
            "default/thief:a/tcp (IPv4) [10.96.0.1:80/tcp, 10.96.0.9:80/tcp] -> []",
            "default/thief:b/tcp (IPv4) [10.96.0.1:81/tcp, 10.96.0.9:81/tcp] -> []");

    DesiredChange change = upsert(a().created(2));
    assertThat(change.removed()).isEmpty();
    assertThat(rows())
        .containsExactly(
            "default/a/tcp (IPv4) [10.96.0.1:80/tcp] -> []",
            "default/thief:a/tcp (IPv4) [10.96.0.9:80/tcp] -> []",
            "default/thief:b/tcp (IPv4) [10.96.0.9:81/tcp] -> []");
    assertThat(rejections())
        .containsExactly(
            "thief: external address 10.96.0.1:80/tcp is not served:"
                + " it is the cluster IP of default/a",
            "thief: external address 10.96.0.1:81/tcp is not served:"
                + " it is the cluster IP of default/a");

    // Both change at once, and the thief goes while he still wants it.
    upsert(a().created(3), thief);
    assertThat(rows()).hasSize(3);
    remove("a");
    assertThat(rejections()).isEmpty();
    assertThat(rows()).hasSize(2).first().asString().contains("10.96.0.1:80/tcp");
    upsert(a());
    compiler.update(
        List.of(), List.of(new ObjectKey("default", "a"), new ObjectKey("default", "thief")));
    assertThat(rows()).isEmpty();
    assertThat(rejections()).isEmpty();
  }

  @Test
  void aServiceMayNameItsOwnClusterIpAsExternal() {
    upsert(
        a().externalIps("10.96.0.1")
            .internalPolicy(TrafficPolicy.LOCAL)
            .slice(8080, ready("10.0.0.1")));
    assertThat(rows()).containsExactly("default/a/tcp (IPv4, Local) [10.96.0.1:80/tcp] -> []");
    assertThat(rejections()).isEmpty();
  }

  @Test
  void nodeAddressesAreMarkedAndFollowed() {
    assertThat(wildcards()).isEmpty();
    DesiredChange first = compiler.updateNode(facts("", "192.0.2.1", "127.0.0.1", "::1"));
    assertThat(first.wildcards())
        .hasSize(3)
        .containsEntry(FrontendKey.wildcard(IpAddress.of("127.0.0.1")), FrontendValue.NODE_ADDRESS);
    assertThat(compiler.updateNode(facts("", "127.0.0.1", "192.0.2.1", "::1")).isEmpty()).isTrue();
    DesiredChange second = compiler.updateNode(facts("", "192.0.2.2", "127.0.0.1", "::1"));
    assertThat(second.wildcards())
        .containsOnlyKeys(FrontendKey.wildcard(IpAddress.of("192.0.2.2")));
    assertThat(second.unwanted()).containsExactly(FrontendKey.wildcard(IpAddress.of("192.0.2.1")));
    assertThat(second.upserted()).isEmpty();
    assertThat(wildcards()).containsOnlyKeys("127.0.0.1:*", "192.0.2.2:*", "[::1]:*");
  }

  @Test
  void aNodeAddressIsNeverRefusedAsAWhole() {
    upsert(a());
    assertThat(wildcards()).containsEntry("10.96.0.1:*", FrontendValue.REFUSE);
    DesiredChange marked = compiler.updateNode(facts("", "10.96.0.1"));
    assertThat(marked.wildcards().values()).containsExactly(FrontendValue.NODE_ADDRESS);
    assertThat(remove("a").unwanted()).isEmpty();
    assertThat(upsert(a()).wildcards()).isEmpty();
    DesiredChange refused = compiler.updateNode(facts(""));
    assertThat(refused.wildcards().values()).containsExactly(FrontendValue.REFUSE);
    assertThat(refused.unwanted()).isEmpty();
  }

  @Test
  void anotherZoneOrNameCompilesAgainWhatDependsOnIt() {
    compiler.updateNode(facts("a"));
    upsert(
        a().slice(8080, ready("10.0.0.1"), ready("10.0.0.2")),
        service("hinted")
            .clusterIps("10.96.0.2")
            .port(80)
            .slice(8080, forZones(ready("10.0.0.1"), "a"), forZones(ready("10.0.0.2"), "b")),
        service("local")
            .clusterIps("10.96.0.3")
            .port(80)
            .internalPolicy(TrafficPolicy.LOCAL)
            .slice(8080, on("node", ready("10.0.0.1")), on("other", ready("10.0.0.2"))));
    assertThat(rows())
        .containsExactly(
            "default/a/tcp (IPv4) [10.96.0.1:80/tcp] -> [10.0.0.1:8080, 10.0.0.2:8080]",
            "default/hinted/tcp (IPv4) [10.96.0.2:80/tcp] -> [10.0.0.1:8080]",
            "default/local/tcp (IPv4, Local) [10.96.0.3:80/tcp] -> [10.0.0.1:8080]");
    assertThat(rows(compiler.updateNode(facts("b"))))
        .containsExactly("hinted [10.96.0.2:80/tcp] -> [10.0.0.2:8080]");
    assertThat(rows(compiler.updateNode(new NodeFacts("other", "b", List.of()))))
        .containsExactly("local [10.96.0.3:80/tcp] -> [10.0.0.2:8080]");
    assertThat(rows(compiler.updateNode(new NodeFacts("other", "", List.of()))))
        .containsExactly("hinted [10.96.0.2:80/tcp] -> [10.0.0.1:8080, 10.0.0.2:8080]");
  }
}
