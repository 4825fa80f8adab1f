// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.Client;
import dev.patchbay.lab.Daemon;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Json;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Manifest;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Outcome;
import dev.patchbay.lab.Patchbay;
import dev.patchbay.lab.Pod;
import dev.patchbay.lab.Sock;
import dev.patchbay.testkit.JsonSchemas;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** {@code patchbay watch}, with and without an agent. */
@EndToEnd
class WatchE2eTest {
  private static final Duration START = Duration.ofSeconds(60);
  private static final String ADDRESS = Family.IPV4.service(10);
  private static final String EMPTY = Family.IPV4.service(11);

  @AutoClose private final Lab lab = Lab.create();
  private final Node node = lab.addNode("node1");
  private final List<Pod> pods = node.addServers("a", "b");
  private final Pod clientPod = node.addPod("client");
  private final Client client = clientPod.client();

  @BeforeEach
  void start() {
    node.write("service.yaml", Manifest.serverService("kubia", 10, "app: kubia"));
    node.write("empty.yaml", Manifest.serverService("empty", 11, "app: nobody"));
    node.write("pods.yaml", Manifest.pods("app: kubia", pods));
    node.startAgent();
  }

  @AfterEach
  void removeEverything() {
    node.lastAgentIfAny().ifPresent(Daemon::kill);
    node.cleanup().orFail();
  }

  private Daemon watch(String... more) {
    List<String> command =
        new ArrayList<>(
            List.of(
                Patchbay.binary(),
                "watch",
                "--bpf-dir=" + node.bpfDirectory(),
                "--state-dir=" + node.stateDirectory()));
    command.addAll(List.of(more));
    return node.host().start(command.toArray(String[]::new)).awaitErr("watching", START);
  }

  private static List<Json> lines(Daemon watch, Predicate<Json> which) {
    return watch.out().lines().map(Json::parse).filter(which).toList();
  }

  /** Lines about a Service of the test; the agent's own connects are there too. */
  private static List<Json> of(Daemon watch, String service) {
    return lines(
        watch, line -> line.find("service").map(Json::text).filter(service::equals).isPresent());
  }

  @Test
  void eachConnectionIsShownWithItsNamesAlsoWithoutAnAgent() {
    node.agent().terminate();
    node.agent().awaitExit(START);
    Daemon watch = watch("-o", "json");
    try (Sock tcp = client.tcp(Family.IPV4);
        Sock refused = client.tcp(Family.IPV4);
        Sock unknown = client.tcp(Family.IPV4);
        Sock udp = client.udp(Family.IPV4)) {
      assertThat(tcp.connect(ADDRESS, Checks.ECHO)).isEqualTo(Outcome.OK);
      assertThat(refused.connect(EMPTY, Checks.ECHO)).isEqualTo(Outcome.REFUSED);
      assertThat(unknown.connect(ADDRESS, 9)).isEqualTo(Outcome.REFUSED);
      assertThat(udp.sendTo(ADDRESS, Checks.UDP, "x")).isEqualTo(Outcome.OK);
      Eventually.soon(() -> assertThat(of(watch, "kubia")).hasSize(3));
      Json connection = of(watch, "kubia").getFirst();
      assertThat(connection.get("outcome").text()).isEqualTo("established");
      assertThat(connection.get("namespace").text()).isEqualTo("default");
      assertThat(connection.get("port").text()).isEqualTo("echo");
      assertThat(connection.get("address").text()).isEqualTo(ADDRESS + ":" + Checks.ECHO);
      assertThat(connection.get("backend").text())
          .isIn(pods.stream().map(pod -> pod.address(Family.IPV4) + ":7000").toList());
      assertThat(connection.get("client").text()).startsWith(clientPod.address(Family.IPV4) + ":");
      assertThat(connection.get("command").text()).startsWith("python3");
      assertThat(connection.get("cgroup").text()).endsWith("/client");
      assertThat(connection.get("tookMicros").number()).isBetween(1L, 10_000_000L);
      assertThat(connection.get("time").text()).matches("20..-..-..T..:..:..\\.\\d+Z");
      Json noSuchPort = of(watch, "kubia").get(1);
      assertThat(noSuchPort.get("outcome").text()).isEqualTo("refused");
      assertThat(noSuchPort.get("error").text()).isEqualTo("ECONNREFUSED");
      assertThat(of(watch, "kubia").get(2).get("outcome").text()).isEqualTo("sent");
      assertThat(of(watch, "empty"))
          .singleElement()
          .satisfies(
              line -> {
                assertThat(line.get("outcome").text()).isEqualTo("refused");
                assertThat(line.find("backend")).isEmpty();
              });
    }
    String schema = node.host().exec(Patchbay.binary(), "schema", "watch").orFail().out();
    for (String line : watch.out().lines().toList()) {
      assertThat(JsonSchemas.violations(schema, line)).as(line).isEmpty();
    }
    watch.terminate();
    assertThat(watch.awaitExit(START)).isZero();
    assertThat(watch.err()).containsPattern("watched \\d+ events, lost 0, shown \\d+");
  }

  @Test
  void filtersAndLimitsHold() {
    Daemon watch =
        watch("-o", "json", "--service=kubia:echo", "--outcome=established", "--limit=3");
    for (int i = 0; i < 5; i++) {
      try (Sock other = client.tcp(Family.IPV4);
          Sock tcp = client.tcp(Family.IPV4)) {
        assertThat(other.connect(ADDRESS, Checks.BANNER)).isEqualTo(Outcome.OK);
        assertThat(tcp.connect(ADDRESS, Checks.ECHO)).isEqualTo(Outcome.OK);
      }
    }
    assertThat(watch.awaitExit(START)).isZero();
    assertThat(lines(watch, _ -> true))
        .hasSize(3)
        .allSatisfy(line -> assertThat(line.get("port").text()).isEqualTo("echo"));

    Daemon below = watch("--cgroup=" + node.cgroup().resolve("client"), "--duration=8s");
    try (Sock tcp = client.tcp(Family.IPV4)) {
      assertThat(tcp.connect(ADDRESS, Checks.ECHO)).isEqualTo(Outcome.OK);
    }
    assertThat(below.awaitExit(START)).isZero();
    assertThat(below.out().lines().toList()).hasSize(2);
    assertThat(below.out())
        .contains("OUTCOME")
        .contains("default/kubia:echo")
        .contains("established");
  }

  @Test
  void wrongUsageIsNamed() {
    for (String option : List.of("--duration=soon", "--limit=0", "--outcome=maybe")) {
      assertThat(node.read("watch", option).exit()).as(option).isEqualTo(2);
    }
    assertThat(node.read("watch", "--cgroup=/nowhere").err()).contains("/nowhere");
  }
}
