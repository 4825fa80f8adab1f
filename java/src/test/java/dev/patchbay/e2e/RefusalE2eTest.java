// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.Client;
import dev.patchbay.lab.Client.Kind;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Manifest;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Outcome;
import dev.patchbay.lab.Result;
import dev.patchbay.lab.Sock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Who asks in vain is told at once. */
@EndToEnd
class RefusalE2eTest {
  private static final int SERVED = 10;
  private static final int EMPTY = 11;

  @AutoClose private final Lab lab = Lab.create();
  private final Node node = lab.addNode("node1");
  private final Client client = node.addPod("client").client();

  @BeforeAll
  void start() {
    node.write(
        "all.yaml",
        Manifest.of(
            Manifest.serverService("served", SERVED, "app: server"),
            Manifest.serverService("empty", EMPTY, "app: nobody"),
            Manifest.pods("app: server", node.addServers("server"))));
    node.startAgent();
  }

  private void refusesEverything(Family family, int service, int port) {
    String address = family.service(service);
    try (Sock tcp = client.tcp(family);
        Sock later = client.tcp(family).nonBlocking();
        Sock connected = client.udp(family);
        Sock unconnected = client.udp(family)) {
      assertThat(tcp.connect(address, port)).isEqualTo(Outcome.REFUSED);
      assertThat(later.connect(address, port)).as("non-blocking").isEqualTo(Outcome.REFUSED);
      assertThat(connected.connect(address, port)).isEqualTo(Outcome.REFUSED);
      assertThat(unconnected.sendTo(address, port, "x")).isEqualTo(Outcome.REFUSED);
    }
  }

  @ParameterizedTest
  @EnumSource
  void aServiceWithoutEndpointsRefuses(Family family) {
    refusesEverything(family, EMPTY, Checks.BANNER);
    refusesEverything(family, EMPTY, Checks.UDP);
  }

  @ParameterizedTest
  @EnumSource
  void anUnknownPortOfAClusterIpRefuses(Family family) {
    refusesEverything(family, SERVED, 81);
    refusesEverything(family, EMPTY, 81);
  }

  @ParameterizedTest
  @EnumSource
  void aRefusalTakesNoTime(Family family) {
    // What others do on the machine can only make it slower, so the limit has to hold once.
    List<Duration> times = new ArrayList<>();
    for (int round = 0; round < 5; round++) {
      long start = System.nanoTime();
      assertThat(client.hits(Kind.TCP, family.service(EMPTY), Checks.BANNER, 1000))
          .containsOnlyKeys(Outcome.REFUSED);
      times.add(Duration.ofNanos(System.nanoTime() - start));
    }
    assertThat(times).anyMatch(time -> time.compareTo(Duration.ofSeconds(1)) < 0);
  }

  @ParameterizedTest
  @EnumSource
  void curlSaysConnectionRefused(Family family) {
    Result result =
        client
            .pod()
            .exec(
                "curl",
                "--verbose",
                "--noproxy",
                "*",
                "http://" + Family.hostPort(family.service(EMPTY), Checks.HTTP) + "/");
    assertThat(result.exit()).isEqualTo(7);
    assertThat(result.err()).contains("Connection refused");
  }

  @ParameterizedTest
  @EnumSource
  void theSameSocketWorksForAServiceThatHasEndpoints(Family family) {
    try (Sock udp = client.udp(family)) {
      assertThat(udp.sendTo(family.service(EMPTY), Checks.UDP, "x")).isEqualTo(Outcome.REFUSED);
      assertThat(udp.sendTo(family.service(SERVED), Checks.UDP, "x")).isEqualTo(Outcome.OK);
      assertThat(udp.receiveFrom().from())
          .isEqualTo(Family.hostPort(family.service(SERVED), Checks.UDP));
    }
  }
}
