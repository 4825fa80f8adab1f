// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.BpfTool;
import dev.patchbay.lab.Client;
import dev.patchbay.lab.Client.Kind;
import dev.patchbay.lab.Daemon;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Manifest;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Outcome;
import dev.patchbay.lab.Patchbay;
import dev.patchbay.lab.Pod;
import dev.patchbay.lab.Programmed;
import dev.patchbay.lab.Result;
import dev.patchbay.lab.Sock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Start, stop, crash, start again, remove. */
@EndToEnd
class LifecycleE2eTest {
  private static final String ADDRESS = Family.IPV4.service(10);

  /** Enough for anything to end; how soon the agent has to is for {@link StopE2eTest}. */
  private static final Duration END = Duration.ofSeconds(30);

  @AutoClose private final Lab lab = Lab.create();
  private final Node node = lab.addNode("node1");
  private final List<Pod> pods = node.addServers("a", "b");
  private final Client client = node.addPod("client").client();

  @BeforeEach
  void manifests() {
    node.write("service.yaml", Manifest.serverService("kubia", 10, "app: kubia"));
    show("a", "b");
  }

  @AfterEach
  void removeEverything() {
    node.lastAgentIfAny().ifPresent(Daemon::kill);
    node.cleanup().orFail();
  }

  private void show(String... names) {
    node.write(
        "pods.yaml",
        Manifest.pods(
            "app: kubia",
            pods.stream().filter(pod -> List.of(names).contains(pod.name())).toList()));
  }

  private Result health() {
    return node.host()
        .exec(
            "curl", "--silent", "--fail", "--noproxy", "*", "http://" + Node.HEALTHZ + "/healthz");
  }

  @Test
  void servicesAreServedWhereThereIsNoRoomToRefuseTheirOtherPorts() {
    Result once = node.runOnce("--max-frontends=9").orFail(); // eight ports of both families
    assertThat(once.err()).contains("frontends is full", "raise --max-frontends");
    assertThat(client.nameAt(ADDRESS, Checks.HTTP)).isIn("a", "b");
  }

  @Test
  void oneLineSaysReadyAndHealthAgrees() {
    Daemon agent = node.startAgent();
    assertThat(agent.out().lines().filter(line -> line.matches("(?i).*\\bready\\b.*")))
        .singleElement()
        .asString()
        .containsPattern("\\bms=\\d+")
        .containsPattern("\\bservices=\\d+")
        .containsPattern("\\bfrontends=\\d+")
        .containsPattern("\\bbackends=\\d+");
    assertThat(
            node.host()
                .exec(
                    "curl",
                    "--silent",
                    "--noproxy",
                    "*",
                    "--output",
                    "/dev/null",
                    "--write-out",
                    "%{http_code}",
                    "http://" + Node.HEALTHZ + "/healthz")
                .orFail()
                .out())
        .isEqualTo("200");
    assertThat(health().orFail().err()).isEmpty();
  }

  @Test
  void sigtermStopsTheAgentAndServicesGoOn() {
    Daemon agent = node.startAgent();
    try (Sock open = client.tcp(Family.IPV4);
        Sock udp = client.udp(Family.IPV4)) {
      assertThat(open.connect(ADDRESS, Checks.ECHO)).isEqualTo(Outcome.OK);
      assertThat(udp.sendTo(ADDRESS, Checks.UDP, "x")).isEqualTo(Outcome.OK);
      client.startLoad("load", Kind.TCP, ADDRESS, Checks.BANNER);
      agent.terminate();
      agent.awaitExit(END);
      assertThat(client.stopLoad("load").outcomes()).containsOnlyKeys("a", "b");
      for (Kind kind : Kind.values()) {
        Checks.meets(client, kind, ADDRESS, "a", "b");
        Checks.meets(client, kind, Family.IPV6.service(10), "a", "b");
      }
      assertThat(open.exchange("x")).matches("[ab]");
      assertThat(open.peer()).isEqualTo(ADDRESS + ":" + Checks.ECHO);
      assertThat(udp.receiveFrom().from()).isEqualTo(ADDRESS + ":" + Checks.UDP);
    }
    assertThat(node.services().backends(ADDRESS, Checks.BANNER, "tcp")).hasSize(2);
  }

  @Test
  void aSecondRunAdoptsWhatIsThereAndAppliesTheDifference() {
    node.startAgent();
    Programmed before = node.services();
    String links = pins();
    client.startLoad("load", Kind.TCP, ADDRESS, Checks.BANNER);
    node.agent().kill();
    node.startAgent();
    assertThat(node.services()).isEqualTo(before);
    assertThat(pins()).isEqualTo(links);
    assertThat(BpfTool.attached(node.cgroup())).containsEntry("connect4", 1);

    node.agent().kill();
    show("b");
    node.startAgent();
    Checks.meets(client, Kind.TCP, ADDRESS, "b");
    assertThat(client.stopLoad("load").outcomes()).containsOnlyKeys("a", "b");
  }

  /** Names of everything that is pinned. */
  private String pins() {
    return node.host().exec("find", node.bpfDirectory().toString()).orFail().out();
  }

  @Test
  void whatWentWhileNobodyWatchedIsRemovedAtTheNextStart() {
    node.startAgent();
    node.agent().kill();
    node.write("service.yaml", Manifest.serverService("kubia", 11, "app: kubia"));
    node.startAgent();
    Checks.meets(client, Kind.TCP, Family.IPV4.service(11), "a", "b");
    assertThat(client.hit(Kind.TCP, ADDRESS, Checks.BANNER)).isEqualTo(Outcome.NOT_TRANSLATED);
  }

  @Test
  void onceProgramsAndExits() {
    Result result = node.runOnce().orFail();
    assertThat(result.out()).containsPattern("\\bms=\\d+");
    Checks.meets(client, Kind.TCP, ADDRESS, "a", "b");
    node.read("status").orFail();
    show("a");
    node.runOnce().orFail();
    Checks.meets(client, Kind.TCP, ADDRESS, "a");
  }

  @Test
  void twoAgentsDoNotShareOneDataplane() {
    node.startAgent();
    Result second = node.runOnce();
    assertThat(second.exit()).isEqualTo(1);
    assertThat(second.err().lines()).singleElement().asString().startsWith("patchbay: ");
    Checks.meets(client, Kind.TCP, ADDRESS, "a", "b");
    assertThat(node.agent().isAlive()).isTrue();
  }

  @Test
  void twoNodesOnOneMachineDoNotDisturbEachOther() {
    Node other = lab.addNode("node2");
    Client there = other.addPod("there").client();
    other.write("service.yaml", Manifest.serverService("kubia", 10, "app: kubia"));
    other.write("pods.yaml", Manifest.pods("app: kubia", pods.subList(1, 2)));
    node.startAgent();
    other.startAgent();
    Checks.meets(client, Kind.TCP, ADDRESS, "a", "b");
    Checks.meets(there, Kind.TCP, ADDRESS, "b");
    other.agent().kill();
    other.cleanup().orFail();
    assertThat(there.hit(Kind.TCP, ADDRESS, Checks.BANNER)).isEqualTo(Outcome.NOT_TRANSLATED);
    Checks.meets(client, Kind.TCP, ADDRESS, "a", "b");
  }

  @Test
  void cleanupRemovesEverythingOfOursNothingElseAndRepeats() throws IOException {
    Files.createDirectories(lab.bpfDirectory());
    Path foreignLink = lab.bpfDirectory().resolve("foreign-link");
    BpfTool.attach(node.cgroup(), foreignLink);
    node.startAgent();
    Path foreignMap = node.bpfDirectory().resolve("foreign-map");
    BpfTool.pinMap(foreignMap);
    assertThat(BpfTool.attached(node.cgroup())).containsEntry("connect4", 2);
    node.agent().terminate();
    node.agent().awaitExit(END);

    for (int i = 0; i < 3; i++) {
      node.cleanup().orFail();
      assertThat(foreignLink).exists();
      assertThat(foreignMap).exists();
      assertThat(BpfTool.attached(node.cgroup()))
          .allSatisfy(
              (type, count) -> assertThat(count).isEqualTo(type.equals("connect4") ? 1 : 0));
      assertThat(pins().lines())
          .containsExactlyInAnyOrder(node.bpfDirectory().toString(), foreignMap.toString());
    }
    assertThat(client.hit(Kind.TCP, ADDRESS, Checks.BANNER)).isEqualTo(Outcome.NOT_TRANSLATED);
    Files.delete(foreignLink);
    Files.delete(foreignMap);
    node.cleanup().orFail();

    node.startAgent();
    Checks.meets(client, Kind.TCP, ADDRESS, "a", "b");
  }

  @Test
  void cleanupUnderARunningAgentSaysWhoPutsItAllBack() {
    Daemon agent = node.startAgent();
    assertThat(node.cleanup().orFail().out())
        .contains(
            "an agent still runs on "
                + node.bpfDirectory()
                + ", process "
                + agent.pid()
                + " (patchbay run --manifests=");
    Eventually.within(
        Duration.ofSeconds(60), () -> assertThat(node.read("status").exit()).isZero());
    Checks.meets(client, Kind.TCP, ADDRESS, "a", "b");
    agent.terminate();
    agent.awaitExit(END);
    assertThat(node.cleanup().orFail().out()).doesNotContain("still runs");
    assertThat(node.bpfDirectory()).doesNotExist();
  }

  @Test
  void cleanupWithoutADataplaneSucceeds() {
    Result result = node.cleanup();
    assertThat(result.exit()).as(result.toString()).isZero();
    assertThat(node.bpfDirectory()).doesNotExist();
  }

  @Test
  void readersWorkWithoutTheAgent() {
    node.startAgent();
    node.agent().terminate();
    node.agent().awaitExit(END);
    assertThat(node.read("services").orFail().out()).contains("kubia");
    assertThat(node.read("status").orFail().out()).isNotEmpty();
    assertThat(node.read("explain", ADDRESS + ":80").orFail().out()).contains("default/kubia");
    assertThat(node.read("env", "--namespace", "default").orFail().out())
        .contains("KUBIA_SERVICE_HOST=" + ADDRESS);
  }

  @Test
  void versionAndUsage() {
    Result version = node.host().exec(Patchbay.binary(), "version").orFail();
    assertThat(version.out()).containsPattern("\\d+\\.\\d+");
    assertThat(node.host().exec(Patchbay.binary(), "nonsense").exit()).isEqualTo(2);
    assertThat(node.host().exec(Patchbay.binary(), "run", "--nonsense").exit()).isEqualTo(2);
    assertThat(node.host().exec(Patchbay.binary(), "--help").orFail().out())
        .contains("run", "check", "validate", "services", "explain", "status", "env", "cleanup");
  }

  @Test
  void healthIsNotOkBeforeTheDataplaneIsInPlace() {
    Daemon agent = node.launchAgent();
    // Whoever hears "healthy" can connect from that moment on.
    Eventually.within(Duration.ofSeconds(60), () -> health().orFail());
    Checks.meets(client, Kind.TCP, ADDRESS, "a", "b");
    agent.awaitOut("(?i)\\bready\\b", Duration.ofSeconds(60));
  }
}
