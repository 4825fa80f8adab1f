// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.patchbay.lab.Client;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Manifest;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Outcome;
import dev.patchbay.lab.Pod;
import dev.patchbay.lab.Sock;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The less usual ways to open a connection or to send a datagram. */
@EndToEnd
class SocketsE2eTest {
  private static final String MAPPED = "::ffff:";

  @AutoClose private final Lab lab = Lab.create();
  private final Node node = lab.addNode("node1");
  private final Pod first = node.addPod("first");
  private final Pod second = node.addPod("second");
  private final Client client = node.addPod("client").client();

  @BeforeAll
  void start() {
    for (Pod pod : List.of(first, second)) {
      pod.exec("/bin/sh", "-c", "echo 3 > /proc/sys/net/ipv4/tcp_fastopen").orFail();
      pod.serve(
          "--fastopen", "--http", "8080", "--banner", "9000", "--echo", "7000", "--udp", "5000");
    }
    node.write(
        "all.yaml",
        Manifest.of(
            Manifest.serverService("first", 10, "app: first"),
            Manifest.serverService("second", 11, "app: second"),
            Manifest.serverService("nobody", 12, "app: nobody"),
            Manifest.pod(first).label("app: first"),
            Manifest.pod(second).label("app: second")));
    node.startAgent();
  }

  private static String echo(Family family, int service) {
    return Family.hostPort(family.service(service), Checks.ECHO);
  }

  @ParameterizedTest
  @EnumSource
  void aNonBlockingConnectIsTranslated(Family family) {
    try (Sock tcp = client.tcp(family).nonBlocking()) {
      assertThat(tcp.connect(family.service(10), Checks.ECHO)).isEqualTo("EINPROGRESS");
      assertThat(tcp.finishConnect()).isEqualTo(Outcome.OK);
      assertThat(tcp.peer()).isEqualTo(echo(family, 10));
      assertThat(tcp.exchange("x")).isEqualTo("first");
    }
  }

  @ParameterizedTest
  @EnumSource
  void fastOpenBySendtoIsTranslated(Family family) {
    // The first fetches a cookie, later ones use it: both paths.
    long before = fastOpens();
    for (int i = 0; i < 3; i++) {
      try (Sock tcp = client.tcp(family)) {
        assertThat(tcp.sendFastOpen(family.service(10), Checks.ECHO, "hello\n"))
            .isEqualTo(Outcome.OK);
        assertThat(tcp.receive()).isEqualTo("first hello\n");
        assertThat(tcp.peer()).isEqualTo(echo(family, 10));
      }
    }
    assertThat(fastOpens()).as("connections that carried data in their SYN").isGreaterThan(before);
  }

  /** The counter TCPFastOpenActive of the client's namespace. */
  private long fastOpens() {
    List<List<String>> lines =
        client
            .pod()
            .exec("grep", "^TcpExt:", "/proc/net/netstat")
            .orFail()
            .out()
            .lines()
            .map(line -> List.of(line.split(" ", -1)))
            .toList();
    return Long.parseLong(lines.get(1).get(lines.get(0).indexOf("TCPFastOpenActive")));
  }

  @ParameterizedTest
  @EnumSource
  void fastOpenByOptionIsTranslated(Family family) {
    for (int i = 0; i < 3; i++) {
      try (Sock tcp = client.tcp(family).fastOpenConnect()) {
        assertThat(tcp.connect(family.service(10), Checks.ECHO)).isEqualTo(Outcome.OK);
        assertThat(tcp.exchange("hello")).isEqualTo("first");
        assertThat(tcp.peer()).isEqualTo(echo(family, 10));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void fastOpenToNobodyIsRefused(Family family) {
    try (Sock tcp = client.tcp(family)) {
      assertThat(tcp.sendFastOpen(family.service(12), Checks.ECHO, "hello\n"))
          .isEqualTo(Outcome.REFUSED);
    }
  }

  @ParameterizedTest
  @EnumSource
  void eachMessageOfASendmmsgIsTranslated(Family family) {
    List<Sock.Message> messages = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      messages.add(new Sock.Message(family.service(10 + i % 2), Checks.UDP, "number " + i));
    }
    messages.add(new Sock.Message(first.address(family), 5000, "direct"));
    List<String> answers = new ArrayList<>();
    try (Sock udp = client.udp(family)) {
      assertThat(udp.sendMany(messages.subList(0, 8))).isEqualTo(8);
      for (int i = 0; i < 8; i++) {
        Sock.Datagram answer = udp.receiveFrom();
        String number = answer.text().substring(answer.text().indexOf("number"));
        int sent = Integer.parseInt(number.substring(7));
        assertThat(answer.from())
            .isEqualTo(Family.hostPort(family.service(10 + sent % 2), Checks.UDP));
        assertThat(answer.text()).startsWith(sent % 2 == 0 ? "first " : "second ");
        answers.add(number);
      }
      assertThat(answers).doesNotHaveDuplicates();
    }
    try (Sock udp = client.udp(family)) {
      assertThat(udp.sendMany(messages.subList(7, 9))).isEqualTo(2);
      List<String> from = List.of(udp.receiveFrom().from(), udp.receiveFrom().from());
      assertThat(from)
          .containsExactlyInAnyOrder(
              Family.hostPort(family.service(11), Checks.UDP),
              Family.hostPort(first.address(family), 5000));
    }
  }

  @Test
  void mappedSocketsAreTranslatedAndToldMappedAddresses() {
    String address = MAPPED + Family.IPV4.service(10);
    try (Sock tcp = client.tcp(Family.IPV6);
        Sock connected = client.udp(Family.IPV6);
        Sock unconnected = client.udp(Family.IPV6)) {
      assertThat(tcp.connect(address, Checks.ECHO)).isEqualTo(Outcome.OK);
      assertThat(tcp.peer()).isEqualTo(Family.hostPort(address, Checks.ECHO));
      assertThat(tcp.exchange("x")).isEqualTo("first");

      assertThat(connected.connect(address, Checks.UDP)).isEqualTo(Outcome.OK);
      assertThat(connected.peer()).isEqualTo(Family.hostPort(address, Checks.UDP));
      assertThat(connected.exchange("x")).isEqualTo("first");

      assertThat(unconnected.sendTo(address, Checks.UDP, "x")).isEqualTo(Outcome.OK);
      assertThat(unconnected.receiveFrom().from()).isEqualTo(Family.hostPort(address, Checks.UDP));
      // The same socket, the other family.
      assertThat(unconnected.sendTo(Family.IPV6.service(10), Checks.UDP, "x"))
          .isEqualTo(Outcome.OK);
      assertThat(unconnected.receiveFrom().from())
          .isEqualTo(Family.hostPort(Family.IPV6.service(10), Checks.UDP));
    }
    try (Sock tcp = client.tcp(Family.IPV6);
        Sock udp = client.udp(Family.IPV6)) {
      assertThat(tcp.connect(MAPPED + Family.IPV4.service(12), Checks.ECHO))
          .isEqualTo(Outcome.REFUSED);
      assertThat(udp.sendTo(MAPPED + Family.IPV4.service(12), Checks.UDP, "x"))
          .isEqualTo(Outcome.REFUSED);
    }
  }

  @ParameterizedTest
  @EnumSource
  void aUdpSocketConnectedElsewhereSeesTheNewPeer(Family family) {
    try (Sock udp = client.udp(family)) {
      for (int i = 0; i < 3; i++) {
        assertThat(udp.connect(family.service(10), Checks.UDP)).isEqualTo(Outcome.OK);
        assertThat(udp.peer()).isEqualTo(Family.hostPort(family.service(10), Checks.UDP));
        assertThat(udp.exchange("x")).isEqualTo("first");
        assertThat(udp.connect(family.service(11), Checks.UDP)).isEqualTo(Outcome.OK);
        assertThat(udp.peer()).isEqualTo(Family.hostPort(family.service(11), Checks.UDP));
        assertThat(udp.exchange("x")).isEqualTo("second");
        // To a Pod itself, the very one that the socket was translated to before.
        assertThat(udp.connect(second.address(family), 5000)).isEqualTo(Outcome.OK);
        assertThat(udp.peer()).isEqualTo(Family.hostPort(second.address(family), 5000));
        assertThat(udp.exchange("x")).isEqualTo("second");
        // And to one that nobody was translated to.
        assertThat(udp.connect(first.address(family), 5000)).isEqualTo(Outcome.OK);
        assertThat(udp.peer()).isEqualTo(Family.hostPort(first.address(family), 5000));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void aSocketThatIsDisconnectedCanGoOn(Family family) {
    try (Sock udp = client.udp(family);
        Sock tcp = client.tcp(family)) {
      assertThat(udp.connect(family.service(10), Checks.UDP)).isEqualTo(Outcome.OK);
      assertThat(udp.disconnect()).isEqualTo(Outcome.OK);
      assertThat(udp.peer()).isEqualTo("ENOTCONN");
      if (family == Family.IPV4) {
        // Linux never forgets the peer of an IPv6 socket: what others send does not get through.
        assertThat(udp.sendTo(family.service(11), Checks.UDP, "x")).isEqualTo(Outcome.OK);
        assertThat(udp.receiveFrom().from())
            .isEqualTo(Family.hostPort(family.service(11), Checks.UDP));
      }
      assertThat(udp.sendTo(family.service(10), Checks.UDP, "x")).isEqualTo(Outcome.OK);
      assertThat(udp.receiveFrom().from())
          .isEqualTo(Family.hostPort(family.service(10), Checks.UDP));
      assertThat(udp.sendTo(first.address(family), 5000, "x")).isEqualTo(Outcome.OK);
      assertThat(udp.receiveFrom().from()).isEqualTo(Family.hostPort(first.address(family), 5000));

      assertThat(tcp.connect(family.service(10), Checks.ECHO)).isEqualTo(Outcome.OK);
      assertThat(tcp.exchange("x")).isEqualTo("first");
      assertThat(tcp.disconnect()).isEqualTo(Outcome.OK);
      assertThat(tcp.connect(second.address(family), 7000)).isEqualTo(Outcome.OK);
      assertThat(tcp.peer()).isEqualTo(Family.hostPort(second.address(family), 7000));
      assertThat(tcp.exchange("x")).isEqualTo("second");
    }
  }

  @ParameterizedTest
  @EnumSource
  void aSocketThatWasRefusedCanTryAgain(Family family) {
    try (Sock tcp = client.tcp(family);
        Sock udp = client.udp(family)) {
      assertThat(tcp.connect(family.service(12), Checks.ECHO)).isEqualTo(Outcome.REFUSED);
      assertThat(tcp.connect(family.service(10), Checks.ECHO)).isEqualTo(Outcome.OK);
      assertThat(tcp.peer()).isEqualTo(echo(family, 10));
      assertThat(udp.connect(family.service(12), Checks.UDP)).isEqualTo(Outcome.REFUSED);
      assertThat(udp.connect(family.service(10), Checks.UDP)).isEqualTo(Outcome.OK);
      assertThat(udp.exchange("x")).isEqualTo("first");
    }
  }

  @ParameterizedTest
  @EnumSource
  void aConnectedUdpSocketCanStillSendElsewhere(Family family) {
    try (Sock udp = client.udp(family)) {
      assertThat(udp.connect(family.service(10), Checks.UDP)).isEqualTo(Outcome.OK);
      assertThat(udp.sendTo(family.service(10), Checks.UDP, "x")).isEqualTo(Outcome.OK);
      assertThat(udp.receiveFrom().from())
          .isEqualTo(Family.hostPort(family.service(10), Checks.UDP));
    }
  }

  @ParameterizedTest
  @EnumSource
  void anMptcpSocketIsTranslated(Family family) {
    if (!Lab.kernelHasMptcp()) {
      assertThatThrownBy(() -> client.mptcp(family)).hasMessageContaining("EPROTONOSUPPORT");
      return;
    }
    try (Sock mptcp = client.mptcp(family)) {
      assertThat(mptcp.connect(family.service(10), Checks.ECHO)).isEqualTo(Outcome.OK);
      assertThat(mptcp.exchange("x")).isEqualTo("first");
    }
  }

  @ParameterizedTest
  @EnumSource
  void aBoundSocketIsTranslated(Family family) {
    try (Sock tcp = client.tcp(family).bind(client.pod().address(family), 0);
        Sock udp = client.udp(family).bind(client.pod().address(family), 0)) {
      assertThat(tcp.connect(family.service(10), Checks.ECHO)).isEqualTo(Outcome.OK);
      assertThat(tcp.exchange("x")).isEqualTo("first");
      assertThat(udp.sendTo(family.service(10), Checks.UDP, "x")).isEqualTo(Outcome.OK);
      assertThat(udp.receiveFrom().from())
          .isEqualTo(Family.hostPort(family.service(10), Checks.UDP));
    }
  }
}
