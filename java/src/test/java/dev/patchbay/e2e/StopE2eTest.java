// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.Client;
import dev.patchbay.lab.Client.Kind;
import dev.patchbay.lab.Commands;
import dev.patchbay.lab.Daemon;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Manifest;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Patchbay;
import dev.patchbay.lab.Pod;
import dev.patchbay.lab.Result;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** SIGTERM ends the agent within two seconds, whatever it waits for; and who may not start. */
@EndToEnd
class StopE2eTest {
  private static final Duration LIMIT = Duration.ofSeconds(2);
  private static final String ADDRESS = Family.IPV4.service(10);
  private static final int API = 18080;

  @AutoClose private final Lab lab = Lab.create();
  private final Node node = lab.addNode("node1");
  private final List<Pod> pods = node.addServers("a", "b");
  private final Client client = node.addPod("client").client();

  StopE2eTest() {
    node.write("service.yaml", Manifest.serverService("kubia", 10, "app: kubia"));
    node.write("pods.yaml", Manifest.pods("app: kubia", pods));
  }

  @AfterEach
  void removeEverything() {
    node.lastAgentIfAny().ifPresent(Daemon::kill);
    node.cleanup().orFail();
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
            .awaitOut("^ready$", Duration.ofSeconds(10));
    useApiServer(other);
    Daemon agent = other.launchAgent();
    silent.awaitOut("^accepted$", Duration.ofSeconds(20));
    agent.terminate();
    // 143: it was in the kernel, to load the programs
    assertThat(agent.awaitExit(LIMIT)).isIn(0, 143);
  }

  @Test
  void whileTheApiServerHangs() throws IOException {
    Node other = lab.addNode("hangs");
    Daemon api =
        other
            .host()
            .start("python3", Pod.script("empty_api.py"), Integer.toString(API))
            .awaitOut("^ready$", Duration.ofSeconds(10));
    useApiServer(other);
    Daemon agent = other.startAgent();
    Commands.run("kill", "-STOP", Long.toString(api.pid()));
    agent.terminate();
    assertThat(agent.awaitExit(LIMIT)).isZero();
  }

  /** Starts an agent under strace, which looks at the calls of bpf(2) alone. */
  private Daemon straced(Path trace, String... options) {
    List<String> command =
        new ArrayList<>(
            List.of("strace", "-f", "--seccomp-bpf", "-e", "trace=bpf", "-o", trace.toString()));
    command.addAll(List.of(options));
    command.add(Patchbay.binary());
    command.addAll(node.runArguments());
    return node.host()
        .start(command.toArray(String[]::new))
        .awaitOut("^ready: ", Duration.ofSeconds(60));
  }

  private static ProcessHandle below(Daemon strace) {
    return ProcessHandle.of(strace.pid()).orElseThrow().children().findFirst().orElseThrow();
  }

  private static List<String> calls(Path trace) {
    try {
      return Files.readAllLines(trace).stream().filter(line -> line.contains("bpf(")).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whether the owner is held for 200 ms. */
  private static boolean heldByTracer(long process) {
    for (int i = 0; i < 10; i++) {
      boolean held = false;
      try (DirectoryStream<Path> threads =
          Files.newDirectoryStream(Path.of("/proc/" + process + "/task"))) {
        for (Path thread : threads) {
          // the name of a thread is cut off at 15 characters
          held |= Files.readString(thread.resolve("stat")).contains("(patchbay-owner) t ");
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      if (!held) {
        return false;
      }
      Eventually.pause(TimeUnit.MILLISECONDS.toNanos(20));
    }
    return true;
  }

  @Test
  void whileTheOwnerWaitsInTheKernel() throws Exception {
    node.runOnce().orFail(); // so that both of the next starts do the same
    Path trace = lab.directory().resolve("calls");
    Daemon first = straced(trace);
    below(first).destroyForcibly();
    int exit = first.awaitExit(Duration.ofSeconds(20));
    assertThat(exit).isEqualTo(137);
    // the owner makes the first of them
    String owner = calls(trace).getFirst().split(" ", 2)[0] + " ";
    long atStart = calls(trace).stream().filter(line -> line.startsWith(owner)).count();

    Path stuck = lab.directory().resolve("stuck");
    Daemon second =
        straced(stuck, "-e", "inject=bpf:delay_enter=30000000:when=" + (atStart + 10) + "+");
    ProcessHandle agent = below(second);
    Eventually.soon(
        () -> {
          // a new Service takes the owner into the kernel
          node.write("another.yaml", Manifest.serverService("a" + System.nanoTime(), 12, "app: x"));
          assertThat(heldByTracer(agent.pid())).isTrue();
        });
    long start = System.nanoTime();
    agent.destroy();
    agent.onExit().get(20, TimeUnit.SECONDS);
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(LIMIT);
    Checks.meets(client, Kind.TCP, ADDRESS, "a", "b");
    node.delete("another.yaml");
    node.startAgent();
    Checks.meets(client, Kind.TCP, ADDRESS, "a", "b");
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
