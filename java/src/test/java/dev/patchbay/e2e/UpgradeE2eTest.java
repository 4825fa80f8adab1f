// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.AbiVariant;
import dev.patchbay.lab.BpfTool;
import dev.patchbay.lab.Client;
import dev.patchbay.lab.Client.Kind;
import dev.patchbay.lab.Daemon;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Manifest;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Outcome;
import dev.patchbay.lab.Patchbay;
import dev.patchbay.lab.Pod;
import dev.patchbay.lab.Result;
import dev.patchbay.lab.Sock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Agents with programs of other versions of the ABI follow each other on one node: distributions of
 * which each has its own programs, built from the sources with another version, and some of them
 * with other private structs.
 *
 * <p>{@code -Dpatchbay.upgrade.kills} sets at how many of its steps each of two upgrades is killed;
 * 0: at each of them.
 */
@EndToEnd
@Timeout(900)
class UpgradeE2eTest {
  private static final String ADDRESS = Family.IPV4.service(10);
  private static final String STICKY = Family.IPV4.service(11);
  private static final int CLIENTS = 8;

  @AutoClose private final Lab lab = Lab.create();
  private final Node node = lab.addNode("node1");
  private final List<Pod> servers = node.addServers("a", "b", "c", "d");
  private final Client client = node.addPod("client").client();
  private final List<Client> sticky = new ArrayList<>();
  private Path same = Path.of("");
  private Path otherAffinity = Path.of("");
  private Path otherSockets = Path.of("");

  @BeforeAll
  void build() {
    Path directory = lab.directory();
    same = AbiVariant.build(directory, 77).distribution(directory);
    otherAffinity =
        AbiVariant.build(directory, 78, AbiVariant.Struct.AFFINITY).distribution(directory);
    otherSockets =
        AbiVariant.build(directory, 79, AbiVariant.Struct.SOCKET_STATE).distribution(directory);
    node.write("service.yaml", Manifest.serverService("kubia", 10, "app: kubia"));
    node.write(
        "sticky.yaml",
        Manifest.serverService("sticky", 11, "app: kubia") + "  sessionAffinity: ClientIP\n");
    node.write("pods.yaml", Manifest.pods("app: kubia", servers));
    for (int i = 0; i < CLIENTS; i++) {
      sticky.add(node.addPod("sticky" + i).client());
    }
  }

  @AfterEach
  void removeEverything() {
    node.lastAgentIfAny().ifPresent(Daemon::kill);
    node.cleanup().orFail();
    assertThat(node.bpfDirectory()).doesNotExist();
  }

  private Daemon start(Path distribution) {
    node.lastAgentIfAny().ifPresent(Daemon::kill);
    node.useDistribution(distribution);
    return node.startAgent();
  }

  private Map<Client, String> choices() {
    Map<Client, String> choices = new LinkedHashMap<>();
    sticky.forEach(c -> choices.put(c, c.hit(Kind.TCP, STICKY, Checks.BANNER)));
    return choices;
  }

  private List<String> versions() {
    try (Stream<Path> directories = Files.list(node.bpfDirectory())) {
      return directories.map(path -> path.getFileName().toString()).sorted().toList();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** Sockets that were made before an upgrade, with an answer that nobody has read yet. */
  private final class Open implements AutoCloseable {
    private final Sock tcp = client.tcp(Family.IPV4);
    private final Sock tcp6 = client.tcp(Family.IPV6);
    private final Sock connected = client.udp(Family.IPV4);
    private final Sock unconnected = client.udp(Family.IPV4);

    Open() {
      assertThat(tcp.connect(ADDRESS, Checks.ECHO)).isEqualTo(Outcome.OK);
      assertThat(tcp6.connect(Family.IPV6.service(10), Checks.ECHO)).isEqualTo(Outcome.OK);
      assertThat(connected.connect(ADDRESS, Checks.UDP)).isEqualTo(Outcome.OK);
      assertThat(connected.send("x")).isEqualTo(Outcome.OK);
      assertThat(unconnected.sendTo(ADDRESS, Checks.UDP, "x")).isEqualTo(Outcome.OK);
    }

    void assertRemembered() {
      assertThat(tcp.exchange("x")).matches("[abcd]");
      assertThat(tcp.peer()).isEqualTo(ADDRESS + ":" + Checks.ECHO);
      assertThat(tcp6.exchange("x")).matches("[abcd]");
      assertThat(tcp6.peer()).isEqualTo(Family.hostPort(Family.IPV6.service(10), Checks.ECHO));
      assertThat(connected.receiveFrom().from()).isEqualTo(ADDRESS + ":" + Checks.UDP);
      assertThat(unconnected.receiveFrom().from()).isEqualTo(ADDRESS + ":" + Checks.UDP);
    }

    @Override
    public void close() {
      tcp.close();
      tcp6.close();
      connected.close();
      unconnected.close();
    }
  }

  private void startLoads() {
    client.startLoad("tcp", Kind.TCP, ADDRESS, Checks.BANNER, Duration.ofMillis(1));
    client.startLoad("udp", Kind.UDP, ADDRESS, Checks.UDP, Duration.ofMillis(1));
    client.startLoad("to", Kind.UDP_UNCONNECTED, ADDRESS, Checks.UDP, Duration.ofMillis(1));
  }

  private void assertLoadsUndisturbed() {
    for (String load : List.of("tcp", "udp", "to")) {
      assertThat(client.stopLoad(load).outcomes()).as(load).containsOnlyKeys("a", "b", "c", "d");
    }
  }

  @Test
  void nothingIsForgottenOnTheWayThereAndBack() {
    start(Patchbay.home());
    final Map<Client, String> before = choices();
    final List<String> own = versions();
    startLoads();
    try (Open open = new Open()) {
      Daemon agent = start(same);
      assertThat(agent.err()).contains("session affinity is kept, sockets keep what they remember");
      open.assertRemembered();
      assertThat(choices()).isEqualTo(before);
      assertThat(versions()).containsExactly("v77");
      assertThat(BpfTool.attached(node.cgroup())).containsEntry("connect4", 1);
      node.read("status").orFail();
      try (Open later = new Open()) {
        start(Patchbay.home());
        later.assertRemembered();
        assertThat(open.tcp.peer()).isEqualTo(ADDRESS + ":" + Checks.ECHO);
      }
      assertThat(choices()).isEqualTo(before);
      assertThat(versions()).isEqualTo(own);
    }
    assertLoadsUndisturbed();
  }

  @Test
  void affinityOfAnotherLayoutStartsAnewAndIsTheOnlyThing() {
    start(Patchbay.home());
    startLoads();
    try (Open open = new Open()) {
      Daemon agent = start(otherAffinity);
      assertThat(agent.err())
          .contains("session affinity starts anew, sockets keep what they remember")
          .contains("[AFFINITY]");
      open.assertRemembered();
      Map<Client, String> chosen = choices();
      for (int i = 0; i < 5; i++) {
        assertThat(choices()).isEqualTo(chosen);
      }
    }
    assertLoadsUndisturbed();
  }

  @Test
  void repliesToSocketsOfAnotherLayoutAreTranslatedForAWhile() {
    start(Patchbay.home());
    Map<Client, String> before = choices();
    startLoads();
    try (Open open = new Open()) {
      Daemon agent = start(otherSockets);
      assertThat(agent.err()).contains("session affinity is kept, sockets forget");
      open.assertRemembered();
      assertThat(choices()).isEqualTo(before);
      assertThat(BpfTool.attached(node.cgroup()))
          .containsEntry("connect4", 1)
          .containsEntry("recvmsg4", 2);
      try (Open later = new Open()) {
        later.assertRemembered();
      }
      start(otherSockets);
      assertThat(open.tcp.peer()).isEqualTo(ADDRESS + ":" + Checks.ECHO);
    }
    assertLoadsUndisturbed();
  }

  /** A system call of an upgrade that changes something: its name, and which of that name it is. */
  private record Step(String call, int number) {}

  private Result strace(Path distribution, String... options) {
    node.useDistribution(distribution);
    List<String> command = new ArrayList<>(List.of("strace", "-f"));
    command.addAll(List.of(options));
    command.add(distribution.resolve("bin/patchbay").toString());
    command.addAll(node.runArguments("--once"));
    return node.host().exec(command.toArray(String[]::new));
  }

  /** What an upgrade from the original to {@code distribution} does to the file system of pins. */
  private List<Step> steps(Path distribution) throws IOException {
    node.useDistribution(Patchbay.home());
    node.runOnce().orFail();
    Path trace = lab.directory().resolve("upgrade.strace");
    strace(distribution, "-e", "trace=bpf,rename,symlink,unlink,rmdir", "-o", trace.toString())
        .orFail();
    List<Step> steps = new ArrayList<>();
    Map<String, Integer> numbers = new LinkedHashMap<>();
    for (String line : Files.readAllLines(trace)) {
      String text = line.replaceFirst("^\\d+ +", "");
      String call = text.replaceFirst("\\(.*", "");
      if (!call.matches("bpf|rename|symlink|unlink|rmdir")) {
        continue;
      }
      // strace counts the calls of each thread by itself
      String thread = line.substring(0, line.indexOf(' '));
      int number = numbers.merge(thread + call, 1, Integer::sum);
      boolean changes =
          call.equals("bpf")
              ? text.matches(
                  "bpf\\((BPF_OBJ_PIN|BPF_LINK_UPDATE|BPF_LINK_CREATE|BPF_LINK_DETACH).*")
              : text.contains(node.bpfDirectory().toString());
      if (changes) {
        steps.add(new Step(call, number));
      }
    }
    node.cleanup().orFail();
    return steps;
  }

  @Test
  void killedAtAnyStepEitherVersionCompletesIt() throws IOException {
    int kills = Patchbay.setting("patchbay.upgrade.kills", 3);
    int done = 0;
    for (Path distribution : List.of(same, otherSockets)) {
      List<Step> steps = steps(distribution);
      assertThat(steps).hasSizeGreaterThan(20);
      int stride = kills == 0 ? 1 : Math.max(1, steps.size() / kills);
      for (int i = done % stride; i < steps.size(); i += stride) {
        Step step = steps.get(i);
        node.useDistribution(Patchbay.home());
        node.runOnce().orFail();
        startLoads();
        try (Open open = new Open()) {
          Result killed =
              strace(
                  distribution,
                  "-o",
                  "/dev/null",
                  "-e",
                  "trace=" + step.call(),
                  "-e",
                  "inject=" + step.call() + ":signal=KILL:when=" + step.number());
          assertThat(killed.exit()).as("%s: %s", step, killed).isEqualTo(137);
          node.useDistribution(done % 2 == 0 ? distribution : Patchbay.home());
          node.runOnce().orFail();
          open.assertRemembered();
          node.read("status").orFail();
        }
        assertLoadsUndisturbed();
        node.cleanup().orFail();
        assertThat(node.bpfDirectory()).doesNotExist();
        done++;
      }
    }
    System.out.printf("upgrade: killed at %d steps, and completed each time%n", done);
  }
}
