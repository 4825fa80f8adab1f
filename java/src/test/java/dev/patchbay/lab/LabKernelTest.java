// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The lab itself, without an agent: what tests rely on when they say "translated". */
@EndToEnd
class LabKernelTest {
  @AutoClose private final Lab lab = Lab.create();
  private final Node node = lab.addNode("node1");
  private final Pod server = node.addServers("server").getFirst();
  private final Client client = node.addPod("client").client();

  @ParameterizedTest
  @EnumSource
  void podsReachEachOther(Family family) {
    String address = server.address(family);
    assertThat(client.nameAt(address, 8080)).isEqualTo("server");
    for (Client.Kind kind : Client.Kind.values()) {
      int port = kind == Client.Kind.TCP ? 9000 : 5000;
      assertThat(client.hits(kind, address, port, 20)).containsOnlyKeys("server");
    }
    assertThat(client.pod().curl("http://" + Family.hostPort(address, 8080) + "/").orFail().out())
        .isEqualTo("You've hit server\n");
    assertThat(client.who(address, 8080).value().get("client").text())
        .isEqualTo(client.pod().address(family));
  }

  @ParameterizedTest
  @EnumSource
  void serviceAddressesLeadNowhere(Family family) {
    for (Client.Kind kind : Client.Kind.values()) {
      assertThat(client.hit(kind, family.service(10), 80)).isEqualTo(Outcome.NOT_TRANSLATED);
    }
    assertThat(client.pod().curl("http://" + Family.hostPort(family.service(10), 80)).exit())
        .isEqualTo(7);
  }

  @Test
  void nothingLeavesTheLab() {
    for (String address : List.of("1.1.1.1", "10.0.2.2", "169.254.169.254", "2606:4700::1111")) {
      assertThat(client.hit(Client.Kind.UDP, address, 53)).isEqualTo(Outcome.NOT_TRANSLATED);
    }
  }

  @ParameterizedTest
  @EnumSource
  void aClosedPortRefuses(Family family) {
    try (Sock tcp = client.tcp(family);
        Sock udp = client.udp(family)) {
      assertThat(tcp.connect(server.address(family), 1)).isEqualTo(Outcome.REFUSED);
      assertThat(udp.connect(server.address(family), 1)).isEqualTo(Outcome.OK);
      assertThat(udp.send("x")).isEqualTo(Outcome.OK);
      assertThat(udp.receive()).isEqualTo(Outcome.REFUSED);
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyWayOfSendingWorksWithoutTranslation(Family family) {
    String address = server.address(family);
    try (Sock udp = client.udp(family)) {
      Sock.Message message = new Sock.Message(address, 5000, "many");
      assertThat(udp.sendMany(List.of(message, message, message))).isEqualTo(3);
      for (int i = 0; i < 3; i++) {
        Sock.Datagram datagram = udp.receiveFrom();
        assertThat(datagram.from()).isEqualTo(Family.hostPort(address, 5000));
        assertThat(datagram.text()).startsWith("server 5000 ").endsWith(" many");
      }
    }
    try (Sock tcp = client.tcp(family)) {
      assertThat(tcp.nonBlocking().connect(address, 7000)).isEqualTo("EINPROGRESS");
      assertThat(tcp.finishConnect()).isEqualTo(Outcome.OK);
      assertThat(tcp.exchange("hello")).isEqualTo("server");
      assertThat(tcp.peer()).isEqualTo(Family.hostPort(address, 7000));
      assertThat(tcp.disconnect()).isEqualTo(Outcome.OK);
      assertThat(tcp.peer()).isEqualTo("ENOTCONN");
    }
    try (Sock tcp = client.tcp(family)) {
      assertThat(tcp.sendFastOpen(address, 7000, "hello\n")).isEqualTo(Outcome.OK);
      assertThat(tcp.receive()).isEqualTo("server hello\n");
    }
    try (Sock tcp = client.tcp(family).fastOpenConnect()) {
      assertThat(tcp.connect(address, 7000)).isEqualTo(Outcome.OK);
      assertThat(tcp.exchange("hello")).isEqualTo("server");
    }
  }

  @ParameterizedTest
  @EnumSource
  void mptcpWorksWhereTheKernelHasIt(Family family) {
    if (!Lab.kernelHasMptcp()) {
      assertThatThrownBy(() -> client.mptcp(family)).hasMessageContaining("EPROTONOSUPPORT");
      return;
    }
    String address = server.address(family);
    try (Sock mptcp = client.mptcp(family)) {
      assertThat(mptcp.connect(address, 7000)).isEqualTo(Outcome.OK);
      assertThat(mptcp.exchange("hello")).isEqualTo("server");
      assertThat(mptcp.protocol()).isEqualTo(262);
    }
  }

  @Test
  void mappedAddressesReachIpv4() {
    try (Sock tcp = client.tcp(Family.IPV6);
        Sock udp = client.udp(Family.IPV6)) {
      assertThat(tcp.connect("::ffff:" + server.ipv4(), 7000)).isEqualTo(Outcome.OK);
      assertThat(tcp.exchange("hello")).isEqualTo("server");
      assertThat(udp.sendTo("::ffff:" + server.ipv4(), 5000, "x")).isEqualTo(Outcome.OK);
      assertThat(udp.receiveFrom().from()).isEqualTo("[::ffff:" + server.ipv4() + "]:5000");
    }
  }

  @Test
  void loadsTellWhatTheySaw() {
    client.startLoad("load", Client.Kind.TCP, server.ipv4(), 9000);
    Eventually.pause(100_000_000);
    Client.LoadReport report = client.stopLoad("load");
    assertThat(report.attempts()).isPositive();
    assertThat(report.outcomes()).containsOnlyKeys("server");
  }

  @Test
  void closingRemovesEverything() throws Exception {
    Path cgroup;
    Path directory;
    String namespace;
    try (Lab other = Lab.create()) {
      Node otherNode = other.addNode("node1");
      otherNode.addServers("server").getFirst().addOutsideAddress(9);
      cgroup = otherNode.cgroup();
      directory = other.directory();
      namespace = other.id();
      assertThat(cgroup).exists();
    }
    assertThat(cgroup.getParent()).doesNotExist();
    assertThat(directory).doesNotExist();
    try (var namespaces = Files.list(Path.of("/run/netns"))) {
      assertThat(namespaces.map(path -> path.getFileName().toString()))
          .noneMatch(name -> name.startsWith(namespace + "-"));
    }
  }
}
