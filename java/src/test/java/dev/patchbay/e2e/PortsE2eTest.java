// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.Client;
import dev.patchbay.lab.Client.Kind;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Json;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Manifest;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Outcome;
import dev.patchbay.lab.Pod;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Several ports, named ports, and one number for two protocols. */
@EndToEnd
class PortsE2eTest {
  @AutoClose private final Lab lab = Lab.create();
  private final Node node = lab.addNode("node1");
  private final Pod old = node.addPod("old");
  private final Pod fresh = node.addPod("fresh");
  private final Client client = node.addPod("client").client();

  @BeforeAll
  void start() {
    old.serve("--http", "8080,8443", "--banner", "9000", "--udp", "9000,5000");
    fresh.serve("--http", "8081,8444", "--banner", "9000", "--udp", "9000,5000");
    node.write(
        "pods.yaml",
        Manifest.of(
            Manifest.pod(old).label("app: web").port("http", 8080).port("https", 8443),
            Manifest.pod(fresh).label("app: web").port("http", 8081).port("https", 8444)));
    node.write(
        "service.yaml",
        Manifest.of(
            Manifest.service(
                "numbered",
                10,
                "app: web",
                "{name: http, port: 80, targetPort: 8080}",
                "{name: https, port: 443, targetPort: 8443}"),
            Manifest.service(
                "named",
                11,
                "app: web",
                "{name: http, port: 80, targetPort: http}",
                "{name: https, port: 443, targetPort: https}"),
            Manifest.service(
                "both",
                12,
                "app: web",
                "{name: tcp, port: 53, targetPort: 9000}",
                "{name: udp, port: 53, targetPort: 5000, protocol: UDP}"),
            Manifest.service("same", 13, "app: web", "{port: 9000}")));
    node.startAgent();
  }

  /** Name and port of each server that is met. */
  private Set<String> met(String address, int port) {
    Set<String> met = new TreeSet<>();
    for (int i = 0; i < 60; i++) {
      Outcome outcome = client.who(address, port);
      if (!outcome.isOk()) {
        met.add(outcome.name());
        continue;
      }
      Json answer = outcome.value();
      met.add(answer.get("name").text() + ":" + answer.get("port").text());
    }
    return met;
  }

  @ParameterizedTest
  @EnumSource
  void eachNumberedPortLeadsToItsTargetPort(Family family) {
    assertThat(node.services().backends(family.service(10), 80, "tcp"))
        .containsExactlyInAnyOrder(
            Family.hostPort(old.address(family), 8080),
            Family.hostPort(fresh.address(family), 8080));
    assertThat(met(family.service(10), 80)).containsExactly(Outcome.REFUSED, "old:8080");
    assertThat(met(family.service(10), 443)).containsExactly(Outcome.REFUSED, "old:8443");
  }

  @ParameterizedTest
  @EnumSource
  void aNamedPortIsLookedUpInEachPod(Family family) {
    assertThat(met(family.service(11), 80)).containsExactly("fresh:8081", "old:8080");
    assertThat(met(family.service(11), 443)).containsExactly("fresh:8444", "old:8443");
  }

  @ParameterizedTest
  @EnumSource
  void oneNumberServesTwoProtocols(Family family) {
    assertThat(client.hits(Kind.TCP, family.service(12), 53, 60)).containsOnlyKeys("fresh", "old");
    assertThat(client.hits(Kind.UDP, family.service(12), 53, 60)).containsOnlyKeys("fresh", "old");
    assertThat(client.hits(Kind.UDP_UNCONNECTED, family.service(12), 53, 60))
        .containsOnlyKeys("fresh", "old");
  }

  @ParameterizedTest
  @EnumSource
  void withoutATargetPortThePortItselfIsMeant(Family family) {
    assertThat(client.hits(Kind.TCP, family.service(13), 9000, 60))
        .containsOnlyKeys("fresh", "old");
  }

  @ParameterizedTest
  @EnumSource
  void theOtherProtocolOfAPortIsRefused(Family family) {
    assertThat(client.hit(Kind.UDP, family.service(10), 80)).isEqualTo(Outcome.REFUSED);
    assertThat(client.hit(Kind.UDP_UNCONNECTED, family.service(10), 80)).isEqualTo(Outcome.REFUSED);
  }

  @Test
  void portsComeAndGo() {
    String address = Family.IPV4.service(14);
    String one = "{name: one, port: 1000, targetPort: 9000}";
    String two = "{name: two, port: 2000, targetPort: 9000}";
    node.write("changing.yaml", Manifest.service("changing", 14, "app: web", one));
    Eventually.soon(
        () ->
            assertThat(client.hits(Kind.TCP, address, 1000, 40)).containsOnlyKeys("fresh", "old"));
    assertThat(client.hit(Kind.TCP, address, 2000)).isEqualTo(Outcome.REFUSED);
    node.write("changing.yaml", Manifest.service("changing", 14, "app: web", one, two));
    Eventually.within(
        Checks.EFFECT,
        () ->
            assertThat(client.hits(Kind.TCP, address, 2000, 40)).containsOnlyKeys("fresh", "old"));
    node.write("changing.yaml", Manifest.service("changing", 14, "app: web", two));
    Eventually.within(
        Checks.EFFECT,
        () -> assertThat(client.hit(Kind.TCP, address, 1000)).isEqualTo(Outcome.REFUSED));
    node.delete("changing.yaml");
    Eventually.within(
        Checks.EFFECT,
        () -> assertThat(client.hit(Kind.TCP, address, 2000)).isEqualTo(Outcome.NOT_TRANSLATED));
  }
}
