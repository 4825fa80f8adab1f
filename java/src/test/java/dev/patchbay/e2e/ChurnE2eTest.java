// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.Client;
import dev.patchbay.lab.Client.Interval;
import dev.patchbay.lab.Client.Kind;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Manifest;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Outcome;
import dev.patchbay.lab.Patchbay;
import dev.patchbay.lab.Pod;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Endpoints change every 20 ms while four clients connect without pause.
 *
 * <p>{@code -Dpatchbay.churn.seconds} sets the duration; {@code -Dpatchbay.churn.seed} repeats a
 * sequence of changes.
 */
@EndToEnd
@Timeout(600)
class ChurnE2eTest {
  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  /** How long an earlier set may stay in force: the promise of one second, and a loaded machine. */
  private static final long LAG_NANOS = Checks.EFFECT.plus(Checks.PROMISE).toNanos();

  /** What an exchange over UDP gets that is not over when its backend has left for some time. */
  private static final String ABORTED = "ECONNABORTED";

  /** That time. A TCP connection is left alone. */
  private static final long GRACE_NANOS = TimeUnit.MILLISECONDS.toNanos(40);

  /** The set of backends from a moment on. */
  private record Epoch(long since, Set<String> names) {}

  @AutoClose private final Lab lab = Lab.create();
  private final Node node = lab.addNode("node1");
  private final List<Pod> members = node.addServers("s1", "s2", "s3", "s4", "s5");
  private final List<Pod> never = node.addServers("never1", "never2");
  private final List<Epoch> epochs = new ArrayList<>();

  @BeforeAll
  void start() {
    node.write("service.yaml", Manifest.serverService("churned", 10, "app: churned"));
    node.write("never.yaml", Manifest.pods("app: never", never));
    publish(members);
    node.startAgent();
  }

  private void publish(List<Pod> set) {
    Set<String> names = new TreeSet<>();
    set.forEach(pod -> names.add(pod.name()));
    epochs.add(new Epoch(System.nanoTime(), names));
    node.write("pods.yaml", Manifest.pods("app: churned", set));
  }

  /** The next set: one more, one less, all others, a few at random, or 1, 0, 1. */
  private List<List<Pod>> next(List<Pod> now, Random random) {
    List<Pod> others = new ArrayList<>(members);
    others.removeAll(now);
    Collections.shuffle(others, random);
    List<Pod> shuffled = new ArrayList<>(members);
    Collections.shuffle(shuffled, random);
    List<Pod> some = new ArrayList<>(now);
    switch (random.nextInt(8)) {
      case 0, 1 -> some.addAll(others.stream().limit(1).toList());
      case 2, 3 -> {
        if (some.size() > 1) {
          some.remove(random.nextInt(some.size()));
        }
      }
      case 4, 5 -> {
        if (!others.isEmpty()) {
          some = others;
        }
      }
      case 6 -> some = shuffled.subList(0, 1 + random.nextInt(members.size()));
      default -> {
        return random.nextInt(4) > 0
            ? List.of(shuffled)
            : List.of(shuffled.subList(0, 1), List.of(), shuffled.subList(0, 1));
      }
    }
    return List.of(some);
  }

  @Test
  void noConnectionIsLostAndNoneGoesWhereItShouldNot() {
    int seconds = Patchbay.setting("patchbay.churn.seconds", 60);
    long seed = Long.getLong("patchbay.churn.seed", System.nanoTime());
    Random random = new Random(seed);
    List<Client> clients = new ArrayList<>();
    start(clients, "tcp4", Kind.TCP, Family.IPV4.service(10));
    start(clients, "tcp6", Kind.TCP, Family.IPV6.service(10));
    start(clients, "mapped", Kind.TCP, "::ffff:" + Family.IPV4.service(10));
    start(clients, "udp", Kind.UDP, Family.IPV4.service(10));

    List<Pod> now = members;
    int changes = 0;
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
    while (System.nanoTime() < end) {
      for (List<Pod> set : next(now, random)) {
        publish(set);
        now = set;
        changes++;
        Eventually.pause(PAUSE_NANOS);
      }
    }

    Map<String, Long> attempts = new TreeMap<>();
    for (Client client : clients) {
      Client.LoadReport report = client.stopLoad("load");
      attempts.put(client.pod().name(), report.attempts());
      check(report, client.pod() + ", seed " + seed);
    }
    System.out.printf(
        "churn: %d changes in %d s, attempts %s, seed %d%n", changes, seconds, attempts, seed);
    assertThat(changes).isGreaterThan(seconds * 10);
    assertThat(attempts.values()).allMatch(count -> count > 10L * seconds, "many attempts");
    Checks.meetsSoon(
        clients.getFirst(),
        Family.IPV4.service(10),
        now.stream().map(Pod::name).toArray(String[]::new));
  }

  private void start(List<Client> clients, String name, Kind kind, String address) {
    Client client = node.addPod(name).client();
    client.startLoad("load", kind, address, Checks.port(kind));
    clients.add(client);
  }

  private void check(Client.LoadReport report, String who) {
    Set<String> allowed = new TreeSet<>(Set.of(Outcome.REFUSED, ABORTED));
    members.forEach(pod -> allowed.add(pod.name()));
    assertThat(allowed).as(who).containsAll(report.outcomes().keySet());
    report
        .outcomes()
        .forEach(
            (outcome, intervals) -> {
              for (Interval interval : intervals) {
                assertThat(possible(outcome, interval))
                    .as("%s: %s at %s", who, outcome, interval)
                    .isTrue();
              }
            });
  }

  /** Whether a set that was or may still have been in force allows an outcome. */
  private boolean possible(String outcome, Interval interval) {
    if (outcome.equals(ABORTED)) {
      return interval.end() - interval.start() >= GRACE_NANOS;
    }
    // The last epoch that began before the interval minus the lag, and all up to its end.
    int first =
        Collections.binarySearch(
            epochs.stream().map(Epoch::since).toList(), interval.start() - LAG_NANOS);
    int index = Math.max(0, first >= 0 ? first : -first - 2);
    for (; index < epochs.size() && epochs.get(index).since() <= interval.end(); index++) {
      Set<String> names = epochs.get(index).names();
      if (outcome.equals(Outcome.REFUSED) ? names.isEmpty() : names.contains(outcome)) {
        return true;
      }
    }
    return false;
  }
}
