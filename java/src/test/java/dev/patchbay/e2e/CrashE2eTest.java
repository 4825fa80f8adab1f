// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.inspect.Invariants;
import dev.patchbay.kernel.KernelException;
import dev.patchbay.kernel.PinnedDataplane;
import dev.patchbay.lab.Client;
import dev.patchbay.lab.Client.Kind;
import dev.patchbay.lab.Daemon;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Manifest;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Patchbay;
import dev.patchbay.lab.Pod;
import dev.patchbay.lab.Programmed;
import dev.patchbay.lab.Result;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The agent is killed at random moments of a stream of changes, also while it starts.
 *
 * <p>{@code -Dpatchbay.crash.rounds} sets how often, {@code -Dpatchbay.crash.seed} repeats a
 * sequence.
 */
@EndToEnd
@Timeout(3000)
class CrashE2eTest {
  private static final int SERVICES = 20;
  private static final int CONSTANT = 200;
  private static final int FRESH_START_EVERY = 10;

  @AutoClose private final Lab lab = Lab.create();
  private final Node node = lab.addNode("node1");
  private final Node fresh = lab.addNode("fresh");
  private final List<Pod> pods = node.addServers("s1", "s2", "s3", "s4");
  private final Client client = node.addPod("client").client();
  private final long seed = Long.getLong("patchbay.crash.seed", System.nanoTime());
  private final Random random = new Random(seed);
  private final Random changes = new Random(seed + 1);
  private volatile Map<Integer, Set<Pod>> last = Map.of();

  CrashE2eTest() {
    fresh.useManifests(node.manifests());
  }

  /** Some of the Services exist, each with some of the Pods. */
  private void change() {
    Map<Integer, Set<Pod>> services = new TreeMap<>();
    services.put(CONSTANT, Set.copyOf(pods));
    for (int number = 10; number < 10 + SERVICES; number++) {
      if (changes.nextInt(8) > 0) {
        Set<Pod> chosen = new HashSet<>(pods);
        chosen.removeIf(pod -> changes.nextInt(3) == 0);
        services.put(number, chosen);
      }
    }
    node.write(
        "services.yaml",
        Manifest.of(
            services.keySet().stream()
                .map(i -> Manifest.serverService("service-" + i, i, "s" + i + ": in"))
                .toArray()));
    List<Manifest.PodManifest> documents = new ArrayList<>();
    for (Pod pod : pods) {
      Manifest.PodManifest manifest = Manifest.pod(pod);
      services.forEach(
          (number, chosen) -> {
            if (chosen.contains(pod)) {
              manifest.label("s" + number + ": in");
            }
          });
      documents.add(manifest);
    }
    node.write("pods.yaml", Manifest.of(documents.toArray()));
    last = Map.copyOf(services);
  }

  /** What the manifests that were written last mean. */
  private Programmed expected() {
    Map<String, Integer> ports =
        Map.of("80/tcp", 8080, "90/tcp", 9000, "70/tcp", 7000, "50/udp", 5000);
    List<Programmed.Row> rows = new ArrayList<>();
    last.forEach(
        (number, chosen) -> {
          for (Family family : Family.values()) {
            ports.forEach(
                (port, target) -> {
                  Set<String> backends = new TreeSet<>();
                  chosen.forEach(pod -> backends.add(Family.hostPort(pod.address(family), target)));
                  String address = Family.hostPort(family.service(number), 0);
                  rows.add(
                      new Programmed.Row(
                          "default/service-" + number,
                          address.substring(0, address.length() - 1) + port,
                          backends));
                });
          }
        });
    return new Programmed(rows);
  }

  /** Changes every 20 ms until told to stop. */
  private Thread stream(AtomicBoolean going) {
    Thread thread =
        new Thread(
            () -> {
              while (going.get()) {
                change();
                Eventually.pause(TimeUnit.MILLISECONDS.toNanos(20));
              }
            },
            "changes");
    thread.start();
    return thread;
  }

  private void killDuringChanges(Daemon agent, int atMostMillis) throws InterruptedException {
    AtomicBoolean going = new AtomicBoolean(true);
    Thread stream = stream(going);
    Eventually.pause(TimeUnit.MICROSECONDS.toNanos(random.nextInt(atMostMillis * 1000)));
    agent.kill();
    going.set(false);
    stream.join();
    assertWhole();
  }

  /** Judged from the maps alone: no agent runs, and the last one has ended anywhere. */
  private void assertWhole() {
    try (PinnedDataplane left = PinnedDataplane.open(node.bpfDirectory())) {
      assertThat(Invariants.check(left.load())).as("seed " + seed).isEmpty();
    } catch (KernelException e) {
      throw new AssertionError("the maps cannot be read, seed " + seed, e);
    }
  }

  @Test
  void whateverIsLeftBehindIsWholeAndIsTakenUp() throws InterruptedException {
    int rounds = Patchbay.setting("patchbay.crash.rounds", 100);
    change();
    node.startAgent();
    client.startLoad(
        "load", Kind.TCP, Family.IPV4.service(CONSTANT), Checks.BANNER, Duration.ofMillis(1));
    for (int round = 1; round <= rounds; round++) {
      String where = "round " + round + ", seed " + seed;
      if (random.nextInt(4) == 0) {
        killDuringChanges(node.agent(), 300);
        killDuringChanges(node.launchAgent(), 1200);
      } else {
        killDuringChanges(node.agent(), 300);
      }
      node.startAgent();
      compare(where, round % FRESH_START_EVERY == 0 || round == rounds);
    }
    Client.LoadReport report = client.stopLoad("load");
    assertThat(report.outcomes()).as("seed " + seed).containsOnlyKeys("s1", "s2", "s3", "s4");
    System.out.printf(
        "crash: %d kills, %d connections meanwhile, seed %d%n", rounds, report.attempts(), seed);
  }

  /** The agent is ready, and the manifests do not change. */
  private void compare(String where, boolean withFreshStart) {
    CompletableFuture<Result> status = CompletableFuture.supplyAsync(() -> node.read("status"));
    Programmed programmed = node.services();
    Result told = status.join();
    assertThat(told.exit()).as("%s: %s", where, told).isZero();
    assertThat(programmed).as(where).isEqualTo(expected());
    if (withFreshStart) {
      fresh.runOnce().orFail();
      assertThat(programmed).as(where).isEqualTo(fresh.services());
      fresh.cleanup().orFail();
    }
  }
}
