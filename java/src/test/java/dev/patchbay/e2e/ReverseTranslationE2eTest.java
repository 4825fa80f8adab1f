// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.Client;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Manifest;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Outcome;
import dev.patchbay.lab.Pod;
import dev.patchbay.lab.Sock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a client is told about its peer: the Service it asked for, and nothing else changed. */
@EndToEnd
class ReverseTranslationE2eTest {
  private static final int MANY = 64;
  private static final int FIRST_OF_MANY = 100;

  @AutoClose private final Lab lab = Lab.create();
  private final Node node = lab.addNode("node1");
  private final List<Pod> servers = List.of(node.addPod("s1"), node.addPod("s2"));
  private final Client client = node.addPod("client").client();
  private final Client stranger = node.addPod("stranger").client();

  @BeforeAll
  void start() {
    List<Object> documents = new ArrayList<>();
    for (Pod server : servers) {
      server.serve("--echo", "7000", "--banner", "9000", "--http", "8080", "--udp", "5000,5001");
      documents.add(Manifest.pod(server).label("app: server"));
    }
    documents.add(Manifest.serverService("server", 10, "app: server"));
    documents.add(Manifest.serverService("twin", 11, "app: server"));
    for (int i = 0; i < MANY; i++) {
      documents.add(Manifest.serverService("many-" + i, FIRST_OF_MANY + i, "app: server"));
    }
    node.write("all.yaml", Manifest.of(documents.toArray()));
    node.startAgent();
  }

  private static void sendTo(Sock socket, String address, int port, String text) {
    assertThat(socket.sendTo(address, port, text)).isEqualTo(Outcome.OK);
  }

  @ParameterizedTest
  @EnumSource
  void getpeernameOfAConnectedSocketIsTheService(Family family) {
    String address = family.service(10);
    try (Sock tcp = client.tcp(family);
        Sock udp = client.udp(family)) {
      assertThat(tcp.connect(address, Checks.ECHO)).isEqualTo(Outcome.OK);
      assertThat(tcp.peer()).isEqualTo(Family.hostPort(address, Checks.ECHO));
      assertThat(tcp.exchange("x")).matches("s[12]");
      assertThat(udp.connect(address, Checks.UDP)).isEqualTo(Outcome.OK);
      assertThat(udp.peer()).isEqualTo(Family.hostPort(address, Checks.UDP));
      assertThat(udp.send("x")).isEqualTo(Outcome.OK);
      assertThat(udp.receiveFrom().from()).isEqualTo(Family.hostPort(address, Checks.UDP));
    }
  }

  @ParameterizedTest
  @EnumSource
  void itStaysTheServiceWhenTheBackendHasLeft(Family family) {
    String address = family.service(12);
    node.write("leaving.yaml", Manifest.serverService("leaving", 12, "app: server"));
    Eventually.soon(() -> assertThat(client.nameAt(address, Checks.HTTP)).matches("s[12]"));
    try (Sock tcp = client.tcp(family)) {
      assertThat(tcp.connect(address, Checks.ECHO)).isEqualTo(Outcome.OK);
      node.delete("leaving.yaml");
      Eventually.within(
          Checks.EFFECT,
          () ->
              assertThat(client.who(address, Checks.HTTP).name())
                  .isEqualTo(Outcome.NOT_TRANSLATED));
      assertThat(tcp.peer()).isEqualTo(Family.hostPort(address, Checks.ECHO));
      assertThat(tcp.exchange("x")).matches("s[12]");
    }
  }

  @ParameterizedTest
  @EnumSource
  void oneSocketThatTalksToManyServicesHearsEachUnderItsOwnAddress(Family family) {
    try (Sock udp = client.udp(family)) {
      for (int round = 0; round < 3; round++) {
        for (int i = 0; i < MANY; i++) {
          String address = family.service(FIRST_OF_MANY + i);
          sendTo(udp, address, Checks.UDP, "to " + i);
          Sock.Datagram answer = udp.receiveFrom();
          assertThat(answer.from()).isEqualTo(Family.hostPort(address, Checks.UDP));
          assertThat(answer.text()).endsWith(" to " + i);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void manyQuestionsAtOnceAreAnsweredUnderAddressesThatWereAsked(Family family) {
    // Backends are shared here, so which of the asked Services answered cannot be told apart on
    // the wire; it must be one that was asked, and never a Pod.
    Map<String, Integer> asked = new HashMap<>();
    try (Sock udp = client.udp(family)) {
      for (int i = 0; i < MANY; i++) {
        String address = family.service(FIRST_OF_MANY + i);
        asked.put(Family.hostPort(address, Checks.UDP), i);
        sendTo(udp, address, Checks.UDP, "to " + i);
      }
      for (int i = 0; i < MANY; i++) {
        assertThat(asked).containsKey(udp.receiveFrom().from());
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void twoServicesWithTheSameBackendsAreToldApartOnOneSocket(Family family) {
    try (Sock udp = client.udp(family)) {
      for (int i = 0; i < 50; i++) {
        String address = family.service(10 + i % 2);
        sendTo(udp, address, Checks.UDP, "x");
        assertThat(udp.receiveFrom().from()).isEqualTo(Family.hostPort(address, Checks.UDP));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void repliesOfOtherPeersAreUntouched(Family family) {
    String address = family.service(10);
    try (Sock udp = client.udp(family);
        Sock other = stranger.udp(family)) {
      sendTo(udp, address, Checks.UDP, "x");
      assertThat(udp.receiveFrom().from()).isEqualTo(Family.hostPort(address, Checks.UDP));

      // The backend itself, from a port that is not the Service's.
      sendTo(udp, address, Checks.UDP, "via:5001 x");
      Sock.Datagram aside = udp.receiveFrom();
      assertThat(aside.from())
          .isIn(
              Family.hostPort(servers.get(0).address(family), 5001),
              Family.hostPort(servers.get(1).address(family), 5001));

      // Somebody else altogether.
      other.bind(stranger.pod().address(family), 4444);
      sendTo(other, client.pod().address(family), udp.localPort(), "surprise");
      Sock.Datagram surprise = udp.receiveFrom();
      assertThat(surprise.text()).isEqualTo("surprise");
      assertThat(surprise.from()).isEqualTo(Family.hostPort(stranger.pod().address(family), 4444));
    }
  }

  @ParameterizedTest
  @EnumSource
  void whoConnectsToAPodSeesThePod(Family family) {
    String pod = servers.getFirst().address(family);
    try (Sock tcp = client.tcp(family);
        Sock udp = client.udp(family);
        Sock unconnected = client.udp(family)) {
      assertThat(tcp.connect(pod, 7000)).isEqualTo(Outcome.OK);
      assertThat(tcp.peer()).isEqualTo(Family.hostPort(pod, 7000));
      assertThat(udp.connect(pod, 5000)).isEqualTo(Outcome.OK);
      assertThat(udp.peer()).isEqualTo(Family.hostPort(pod, 5000));
      sendTo(unconnected, pod, 5000, "x");
      assertThat(unconnected.receiveFrom().from()).isEqualTo(Family.hostPort(pod, 5000));
    }
  }

  @ParameterizedTest
  @EnumSource
  void thePodsOwnAddressIsHeardAgainWhenItIsAskedDirectly(Family family) {
    // First through the Service, then directly, on one socket: each answer under the address used.
    String service = family.service(10);
    try (Sock udp = client.udp(family)) {
      for (int i = 0; i < 6; i++) {
        sendTo(udp, service, Checks.UDP, "x");
        assertThat(udp.receiveFrom().from()).isEqualTo(Family.hostPort(service, Checks.UDP));
        for (Pod server : servers) {
          String pod = server.address(family);
          sendTo(udp, pod, 5000, "x");
          assertThat(udp.receiveFrom().from()).isEqualTo(Family.hostPort(pod, 5000));
        }
      }
    }
  }
}
