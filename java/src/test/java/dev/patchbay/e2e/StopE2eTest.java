// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.Commands;
import dev.patchbay.lab.Daemon;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Manifest;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Patchbay;
import dev.patchbay.lab.Pod;
import dev.patchbay.lab.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/**
 * SIGTERM ends the agent within two seconds, whatever it waits for; and who may not start. What
 * others do on the machine can only make it slower, so the limit has to hold in one of several
 * rounds.
 */
@EndToEnd
class StopE2eTest {
  private static final Duration LIMIT = Duration.ofSeconds(2);
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int ROUNDS = 5;
  private static final int API = 18080;

  @AutoClose private final Lab lab = Lab.create();
  private final Node node = lab.addNode("node1");
  private final List<Pod> pods = node.addServers("a", "b");

  StopE2eTest() {
    node.write("service.yaml", Manifest.serverService("kubia", 10, "app: kubia"));
    node.write("pods.yaml", Manifest.pods("app: kubia", pods));
  }

  @AfterEach
  void removeEverything() {
    node.lastAgentIfAny().ifPresent(Daemon::kill);
    node.cleanup().orFail();
  }

  /** Has the agent end, and notes how long that took. */
  private static int stop(Daemon agent, List<Duration> times) {
    long start = System.nanoTime();
    agent.terminate();
    int exit = agent.awaitExit(PATIENCE);
    times.add(Duration.ofNanos(System.nanoTime() - start));
    return exit;
  }

  private static boolean inTime(List<Duration> times) {
    return times.stream().anyMatch(time -> time.compareTo(LIMIT) <= 0);
  }

  private void useApiServer(Node of) throws IOException {
    Path file = lab.directory().resolve("kubeconfig-" + of);
    Files.writeString(
        file,
        """
        apiVersion: v1
        kind: Config
        current-context: lab
        clusters: [{name: lab, cluster: {server: "http://127.0.0.1:%d"}}]
        users: [{name: lab, user: {token: none}}]
        contexts: [{name: lab, context: {cluster: lab, user: lab}}]
        """
            .formatted(API));
    of.useKubeconfig(file);
  }

  @Test
  void whileTheApiServerDoesNotAnswerTheFirstList() throws IOException {
    Node other = lab.addNode("silent");
    Daemon silent =
        other
            .host()
            .start(
                "python3",
                "-c",
                """
                import socket
                listener = socket.create_server(("127.0.0.1", %d))
                print("ready", flush=True)
                accepted = []
                while True:
                    accepted.append(listener.accept())
                    print("accepted", flush=True)
                """
                    .formatted(API))
            .awaitOut("^ready$", PATIENCE);
    useApiServer(other);
    List<Duration> times = new ArrayList<>();
    while (times.size() < ROUNDS && !inTime(times)) {
      long before = silent.out().lines().count();
      Daemon agent = other.launchAgent();
      Eventually.within(
          PATIENCE, () -> assertThat(silent.out().lines().count()).isGreaterThan(before));
      // 143: it was in the kernel, to load the programs
      assertThat(stop(agent, times)).isIn(0, 143);
    }
    assertThat(inTime(times)).as("%s", times).isTrue();
  }

  @Test
  void whileTheApiServerHangs() throws IOException {
    Node other = lab.addNode("hangs");
    Daemon api =
        other
            .host()
            .start("python3", Pod.script("empty_api.py"), Integer.toString(API))
            .awaitOut("^ready$", PATIENCE);
    useApiServer(other);
    List<Duration> times = new ArrayList<>();
    while (times.size() < ROUNDS && !inTime(times)) {
      Daemon agent = other.startAgent();
      Commands.run("kill", "-STOP", Long.toString(api.pid()));
      assertThat(stop(agent, times)).isZero();
      Commands.run("kill", "-CONT", Long.toString(api.pid()));
    }
    assertThat(inTime(times)).as("%s", times).isTrue();
  }

  private Result runOnce(String stateDirectory) {
    List<String> command = new ArrayList<>(List.of(Patchbay.binary()));
    command.addAll(node.runArguments("--once"));
    command.replaceAll(
        word -> word.startsWith("--state-dir=") ? "--state-dir=" + stateDirectory : word);
    return node.host().exec(command.toArray(String[]::new));
  }

  @Test
  void aSecondAgentHearsWhoHasTheStateDirectoryOrTheDataplane() {
    Daemon agent = node.startAgent();
    String holder = "process " + agent.pid() + " (patchbay run --manifests=";
    Result sameState = runOnce(node.stateDirectory().toString());
    assertThat(sameState.exit()).isEqualTo(1);
    assertThat(sameState.err()).startsWith("patchbay: cannot use the state directory");
    assertThat(sameState.err().lines()).singleElement().asString().contains(holder);

    Result samePins = runOnce(lab.directory().resolve("second-state").toString());
    assertThat(samePins.exit()).isEqualTo(1);
    assertThat(samePins.err().lines())
        .singleElement()
        .asString()
        .contains("another patchbay writes this dataplane: " + holder);
    assertThat(agent.isAlive()).isTrue();

    agent.kill();
    runOnce(lab.directory().resolve("second-state").toString()).orFail();
    node.startAgent();
  }
}
