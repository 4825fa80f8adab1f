// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.AbiVariant;
import dev.patchbay.lab.AbiVariant.Struct;
import dev.patchbay.lab.Client;
import dev.patchbay.lab.Client.HeldReport;
import dev.patchbay.lab.Client.Interval;
import dev.patchbay.lab.Client.Kind;
import dev.patchbay.lab.Client.LoadReport;
import dev.patchbay.lab.Daemon;
import dev.patchbay.lab.Dns;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Manifest;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Patchbay;
import dev.patchbay.lab.Pod;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Eight clients hold connections, open new ones and resolve names, while endpoints roll and the
 * agent is killed, upgraded and downgraded: no connection fails, and none goes where it should not.
 *
 * <p>{@code -Dpatchbay.traffic.seconds} sets how long, 600 for 20 kills, 5 upgrades and a
 * downgrade; {@code -Dpatchbay.traffic.seed} repeats a sequence.
 */
@EndToEnd
@Timeout(1500)
class TrafficE2eTest {
  private static final int CLIENTS = 8;
  private static final int HELD = 125;
  private static final int SERVERS = 10;
  private static final int IN_SERVICE = 4;
  private static final int DNS_PORT = 53;
  private static final int FULL_SECONDS = 600;
  private static final int FULL_KILLS = 20;
  private static final String ADDRESS = Family.IPV4.service(10);
  private static final String DNS = Family.IPV4.service(11);

  /** Between two changes of endpoints; each server is in for four of them, then out for six. */
  private static final long ROLL_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** What an agent may take to put a file into effect: its promise, and a loaded machine. */
  private static final long LAG_NANOS = TimeUnit.MILLISECONDS.toNanos(2500);

  /** What it may take now and then, when the machine stands still. */
  private static final long LATE_NANOS = TimeUnit.MILLISECONDS.toNanos(5500);

  /** Times at which outcomes may be so late, of all. */
  private static final double LATE = 0.02;

  /** Connections a second and client: 16 ms for each, of which an exchange takes one or two. */
  private static final Duration CONNECT_PAUSE = Duration.ofMillis(14);

  private static final Duration ASK_PAUSE = Duration.ofMillis(20);

  /** Which servers are in the Service from a moment on. */
  private record Epoch(long since, Set<String> names) {}

  /** A time in which an agent ran and was ready. */
  private record Ready(long from, long to) {}

  @AutoClose private final Lab lab = Lab.create();
  private final Node node = lab.addNode("node1");
  private final List<Pod> servers =
      node.addServers(
          Stream.iterate(1, i -> i + 1).limit(SERVERS).map(i -> "s" + i).toArray(String[]::new));
  private final List<Pod> strangers = node.addServers("stranger1", "stranger2");
  private final List<Pod> resolvers =
      List.of(node.addPod("dns1"), node.addPod("dns2"), node.addPod("dns3"));
  private final List<Client> clients = new ArrayList<>();
  private final List<Epoch> epochs = Collections.synchronizedList(new ArrayList<>());
  private final ConcurrentLinkedQueue<Ready> ready = new ConcurrentLinkedQueue<>();
  private final List<Path> versions = new ArrayList<>();
  private long readySince;
  private long judged;
  private long late;

  @BeforeAll
  void start() {
    for (Pod pod : resolvers) {
      Daemon ignored = Dns.serve(pod, "--txt-record=who.test," + pod.name());
    }
    node.write("service.yaml", Manifest.serverService("kubia", 10, "app: kubia"));
    node.write(
        "dns.yaml",
        Manifest.service("dns", 11, "app: dns", "{name: dns, port: 53, protocol: UDP}"));
    node.write("strangers.yaml", Manifest.serverService("other", 12, "app: other"));
    node.write("stranger-pods.yaml", Manifest.pods("app: other", strangers));
    roll(0);
    versions.add(Patchbay.home());
    Struct[][] changes = {
      {}, {Struct.AFFINITY}, {}, {Struct.AFFINITY}, {Struct.SOCKET_STATE, Struct.AFFINITY}
    };
    for (int i = 0; i < changes.length; i++) {
      versions.add(
          AbiVariant.build(lab.directory(), 71 + i, changes[i]).distribution(lab.directory()));
    }
    for (int i = 0; i < CLIENTS; i++) {
      clients.add(node.addPod("client" + i).client());
    }
    node.startAgent();
    readySince = System.nanoTime();
    Eventually.soon(
        () ->
            assertThat(
                    Dns.dig(clients.getFirst().pod(), DNS, "+tries=1", "+time=1", "who.test", "TXT")
                        .out())
                .contains("dns"));
  }

  /** The next servers take the place of those that were there longest. */
  private void roll(int round) {
    List<Pod> in = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (int i = 0; i < IN_SERVICE; i++) {
      Pod pod = servers.get((round + i) % SERVERS);
      in.add(pod);
      names.add(pod.name());
    }
    List<Pod> dns = new ArrayList<>(resolvers);
    dns.remove((round / 3 + 2) % dns.size());
    dns.forEach(pod -> names.add(pod.name()));
    epochs.add(new Epoch(System.nanoTime(), names));
    node.write("pods.yaml", Manifest.pods("app: kubia", in));
    node.write("dns-pods.yaml", Manifest.pods("app: dns", dns));
  }

  private Thread rolling(AtomicBoolean going) {
    Thread thread =
        new Thread(
            () -> {
              for (int round = 1; going.get(); round++) {
                Eventually.pause(ROLL_NANOS);
                roll(round);
              }
            },
            "endpoints");
    thread.start();
    return thread;
  }

  private void load() {
    for (Client client : clients) {
      client.hold("held", ADDRESS, Checks.ECHO, HELD, Duration.ofMillis(4));
      client.startLoad("tcp", Kind.TCP, ADDRESS, Checks.BANNER, CONNECT_PAUSE);
      client.startQueries("dns", false, DNS, DNS_PORT, ASK_PAUSE);
      client.startQueries("resolver", true, DNS, DNS_PORT, ASK_PAUSE);
    }
  }

  /** Ends the agent in one of two ways and starts another distribution, or the same. */
  private void follow(Path distribution, Random random) {
    ready.add(new Ready(readySince, System.nanoTime()));
    if (random.nextInt(4) == 0) {
      node.agent().terminate();
      int ignored = node.agent().awaitExit(Duration.ofSeconds(60));
    } else {
      node.agent().kill();
    }
    Eventually.pause(TimeUnit.MILLISECONDS.toNanos(random.nextInt(1000)));
    node.useDistribution(distribution);
    node.startAgent();
    readySince = System.nanoTime();
  }

  @Test
  void noConnectionFailsAndNoneGoesWhereItShouldNot() throws InterruptedException {
    int seconds = Patchbay.setting("patchbay.traffic.seconds", 75);
    long seed = Long.getLong("patchbay.traffic.seed", System.nanoTime());
    Random random = new Random(seed);
    int kills = Math.max(3, FULL_KILLS * seconds / FULL_SECONDS);
    // 0: killed and started again; 1: upgraded; 2: downgraded, after all upgrades
    List<Integer> events = new ArrayList<>(Collections.nCopies(kills, 0));
    int upgrades = seconds >= FULL_SECONDS ? versions.size() - 1 : 3;
    events.addAll(Collections.nCopies(upgrades, 1));
    Collections.shuffle(events, random);
    events.add(2);
    // a short run goes from the first version by the last two
    List<Path> way = new ArrayList<>(versions.subList(versions.size() - upgrades, versions.size()));

    load();
    AtomicBoolean going = new AtomicBoolean(true);
    final Thread rolling = rolling(going);
    long start = System.nanoTime();
    Path current = versions.getFirst();
    for (int i = 0; i < events.size(); i++) {
      long due = start + TimeUnit.SECONDS.toNanos(seconds) * (i + 1) / (events.size() + 1);
      Eventually.pause(Math.max(0, due - System.nanoTime()));
      current =
          switch (events.get(i)) {
            case 1 -> way.removeFirst();
            case 2 -> versions.getFirst();
            default -> current;
          };
      follow(current, random);
    }
    Eventually.pause(Math.max(0, start + TimeUnit.SECONDS.toNanos(seconds) - System.nanoTime()));
    ready.add(new Ready(readySince, System.nanoTime()));
    going.set(false);
    rolling.join();

    double lasted = (System.nanoTime() - start) / 1e9;
    Map<String, Long> attempts = new TreeMap<>();
    for (Client client : clients) {
      for (String load : List.of("tcp", "dns", "resolver")) {
        LoadReport report = client.stopLoad(load);
        attempts.merge(load, report.attempts(), Long::sum);
        judge(report, client.pod() + " " + load + ", seed " + seed);
      }
      HeldReport held = client.stopHolding("held");
      attempts.merge("held", held.exchanges(), Long::sum);
      attempts.merge("held that showed a backend", held.backendsShown(), Long::sum);
      assertThat(held.failures()).as("held by %s, seed %d", client.pod(), seed).isEmpty();
    }
    System.out.printf(
        "traffic: %.0f s, %d kills, %d upgrades, 1 downgrade, %d changes of endpoints, %d held"
            + " connections, %.0f new ones a second, exchanges %s, seed %d%n",
        lasted,
        kills,
        upgrades,
        epochs.size(),
        CLIENTS * HELD,
        attempts.getOrDefault("tcp", 0L) / lasted,
        attempts,
        seed);
    assertThat(late)
        .as("outcomes that came late, of %d", judged)
        .isLessThanOrEqualTo(Math.round(LATE * judged));
    assertThat(attempts.get("tcp")).isGreaterThan(seconds * 100L);
    assertThat(attempts.get("resolver")).isGreaterThan(seconds * 50L);
  }

  private void judge(LoadReport report, String who) {
    report
        .outcomes()
        .forEach(
            (outcome, intervals) -> {
              for (Interval interval : intervals) {
                judged++;
                if (!possible(outcome, interval, LAG_NANOS)) {
                  late++;
                  assertThat(possible(outcome, interval, LATE_NANOS))
                      .as("%s: %s at %s", who, outcome, interval)
                      .isTrue();
                }
              }
            });
  }

  /** Whether the server was in the Service at a time whose endpoints may have been in force. */
  private boolean possible(String name, Interval interval, long lag) {
    long from = knownBefore(interval.start(), lag);
    for (int i = 0; i < epochs.size() && epochs.get(i).since() <= interval.end(); i++) {
      long until = i + 1 < epochs.size() ? epochs.get(i + 1).since() : Long.MAX_VALUE;
      if (until >= from && epochs.get(i).names().contains(name)) {
        return true;
      }
    }
    return false;
  }

  /** The moment up to which all changes are in force at {@code time}. */
  private long knownBefore(long time, long lag) {
    long known = Long.MIN_VALUE;
    for (Ready agent : ready) {
      if (agent.from() <= time) {
        // an agent that is ready knows what there was when it began to read
        known = Math.max(known, Math.min(time, agent.to()) - lag);
      }
    }
    return known;
  }
}
