// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.e2e;

import static dev.patchbay.lab.Manifest.pod;
import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.Client;
import dev.patchbay.lab.Client.Kind;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Manifest;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Outcome;
import dev.patchbay.lab.Pod;
import dev.patchbay.lab.Sock;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Pods come, go, become unready and terminate; nobody notices but by the names that answer. */
@EndToEnd
class ScalingE2eTest {
  private static final String LABEL = "app: kubia";

  @AutoClose private final Lab lab = Lab.create();
  private final Node node = lab.addNode("node1");
  private final List<Pod> pods = node.addServers("p1", "p2", "p3", "p4", "p5");
  private final Pod p1 = pods.get(0);
  private final Pod p2 = pods.get(1);
  private final Pod p3 = pods.get(2);
  private final Client client = node.addPod("client").client();
  private final Client busy = node.addPod("busy").client();

  @BeforeAll
  void start() {
    node.write("service.yaml", Manifest.serverService("kubia", 10, LABEL));
    scale(3);
    node.startAgent();
  }

  @BeforeEach
  void reset() {
    scale(3);
    Checks.meetsSoon(client, Family.IPV4.service(10), "p1", "p2", "p3");
    Checks.meetsSoon(client, Family.IPV6.service(10), "p1", "p2", "p3");
  }

  private void scale(int count) {
    node.write("pods.yaml", Manifest.pods(LABEL, pods.subList(0, count)));
  }

  private void show(Object... documents) {
    node.write("pods.yaml", Manifest.of(documents));
  }

  @ParameterizedTest
  @EnumSource
  void fromThreeToTwoToNoneToFive(Family family) {
    String address = family.service(10);
    scale(2);
    Checks.meetsInTime(client, address, "p1", "p2");
    scale(0);
    Checks.meetsInTime(client, address, Outcome.REFUSED);
    for (Kind kind : Kind.values()) {
      Checks.meets(client, kind, address, Outcome.REFUSED);
    }
    scale(5);
    Checks.meetsInTime(client, address, "p1", "p2", "p3", "p4", "p5");
  }

  @ParameterizedTest
  @EnumSource
  void noConnectionFailsBecauseOfAChange(Family family) {
    String address = family.service(10);
    busy.startLoad("tcp", Kind.TCP, address, Checks.BANNER);
    for (int count : List.of(2, 1, 5, 3, 4)) {
      scale(count);
      String[] names = pods.subList(0, count).stream().map(Pod::name).toArray(String[]::new);
      Checks.meetsSoon(client, address, names);
    }
    Client.LoadReport report = busy.stopLoad("tcp");
    // Each was met by the other client; this one may have missed one that was there for a moment.
    assertThat(report.outcomes().keySet())
        .hasSizeGreaterThan(1)
        .isSubsetOf("p1", "p2", "p3", "p4", "p5");
  }

  @Test
  void aPodThatIsNotReadyIsLeftOut() {
    show(pod(p1).label(LABEL), pod(p2).label(LABEL).notReady());
    Checks.meetsInTime(client, Family.IPV4.service(10), "p1");
    show(pod(p1).label(LABEL).notReady(), pod(p2).label(LABEL).notReady());
    Checks.meetsInTime(client, Family.IPV4.service(10), Outcome.REFUSED);
    show(pod(p1).label(LABEL), pod(p2).label(LABEL));
    Checks.meetsInTime(client, Family.IPV4.service(10), "p1", "p2");
  }

  @Test
  void unreadyPodsArePublishedOnRequest() {
    node.write(
        "eager.yaml",
        Manifest.serverService("eager", 11, LABEL) + "  publishNotReadyAddresses: true\n");
    show(pod(p1).label(LABEL), pod(p2).label(LABEL).notReady());
    Checks.meetsSoon(client, Family.IPV4.service(11), "p1", "p2");
    Checks.meetsSoon(client, Family.IPV4.service(10), "p1");
    node.delete("eager.yaml");
  }

  @Test
  void aTerminatingPodServesOnlyWhenNobodyElseDoes() {
    show(pod(p1).label(LABEL), pod(p2).label(LABEL).terminating(), pod(p3).label(LABEL));
    Checks.meetsInTime(client, Family.IPV4.service(10), "p1", "p3");
    show(pod(p1).label(LABEL).notReady(), pod(p2).label(LABEL).terminating());
    Checks.meetsInTime(client, Family.IPV4.service(10), "p2");
  }

  @Test
  void aPodWhoseLabelsChangeLeaves() {
    show(pod(p1).label(LABEL), pod(p2).label("app: other"));
    Checks.meetsInTime(client, Family.IPV4.service(10), "p1");
  }

  @Test
  void openConnectionsOfARemovedPodLiveOn() {
    String address = Family.IPV4.service(10);
    try (Sock connection = client.tcp(Family.IPV4)) {
      assertThat(connection.connect(address, Checks.ECHO)).isEqualTo(Outcome.OK);
      String name = connection.exchange("before");
      Pod[] others =
          pods.subList(0, 3).stream().filter(pod -> !pod.name().equals(name)).toArray(Pod[]::new);
      show(pod(others[0]).label(LABEL), pod(others[1]).label(LABEL));
      Checks.meetsInTime(client, address, others[0].name(), others[1].name());
      assertThat(connection.exchange("after")).isEqualTo(name);
      assertThat(connection.peer()).isEqualTo(address + ":" + Checks.ECHO);
    }
  }

  @ParameterizedTest
  @EnumSource
  void anUnconnectedSocketKeepsItsBackendWhileThatIsValidAndLeavesItAtOnce(Family family) {
    String address = family.service(10);
    try (Sock socket = client.udp(family)) {
      String name = ask(socket, address);
      for (int i = 0; i < 50; i++) {
        assertThat(ask(socket, address)).isEqualTo(name);
      }
      Pod[] others =
          pods.subList(0, 3).stream().filter(pod -> !pod.name().equals(name)).toArray(Pod[]::new);
      show(pod(others[0]).label(LABEL), pod(others[1]).label(LABEL));
      Eventually.within(Checks.EFFECT, () -> assertThat(ask(socket, address)).isNotEqualTo(name));
      String next = ask(socket, address);
      for (int i = 0; i < 50; i++) {
        assertThat(ask(socket, address)).isEqualTo(next);
      }
      show();
      Eventually.within(
          Checks.EFFECT,
          () -> assertThat(socket.sendTo(address, Checks.UDP, "x")).isEqualTo(Outcome.REFUSED));
    }
  }

  private static String ask(Sock socket, String address) {
    assertThat(socket.sendTo(address, Checks.UDP, "hello")).isEqualTo(Outcome.OK);
    Sock.Datagram answer = socket.receiveFrom();
    assertThat(answer.from()).isEqualTo(Family.hostPort(address, Checks.UDP));
    return answer.text().split(" ", 2)[0];
  }

  @Test
  void aServiceThatIsDeletedIsNoServiceAnyMoreAndComesBack() {
    String address = Family.IPV4.service(12);
    for (int i = 0; i < 3; i++) {
      node.write("passing.yaml", Manifest.serverService("passing", 12, LABEL));
      Eventually.within(
          Checks.EFFECT, () -> Checks.meets(client, Kind.TCP, address, "p1", "p2", "p3"));
      node.delete("passing.yaml");
      Checks.meetsInTime(client, address, Outcome.NOT_TRANSLATED);
    }
  }
}
