// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.scale;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.Client;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Json;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Manifest;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Patchbay;
import dev.patchbay.lab.Pod;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A hundred changes a second for a long time: endpoints change, Services come and go, clients
 * connect all the while. Nothing that the agent holds may grow: memory, descriptors, threads,
 * entries of maps, pins.
 *
 * <p>{@code -Dpatchbay.soak.seconds} sets the duration.
 */
@EndToEnd
@Timeout(2 * 3600)
class SoakE2eTest {
  private static final int SECONDS = Patchbay.setting("patchbay.soak.seconds", 60);
  private static final int SERVICES = 200;
  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(10);
  private static final int SAMPLES = 60;

  /** One Service in so many changes goes, or comes back. */
  private static final int COME_AND_GO = 20;

  @AutoClose private final Lab lab = Lab.create();
  private final Node node = lab.addNode("node1");
  private final int[] versions = new int[SERVICES];
  private final boolean[] gone = new boolean[SERVICES];

  private record Sample(long anonymousKib, long descriptors, long threads, long pins) {}

  @Test
  void nothingGrows() throws IOException {
    List<Pod> servers = node.addServers("s1", "s2", "s3");
    node.write("service.yaml", Manifest.serverService("served", 10, "app: served"));
    node.write("pods.yaml", Manifest.pods("app: served", servers));
    for (int i = 0; i < SERVICES; i++) {
      write(i);
    }
    long pid = node.startAgent().pid();
    awaitOwnRows();
    final Map<String, Long> usedBefore = used();
    List<Client> clients = new ArrayList<>();
    for (Client.Kind kind : List.of(Client.Kind.TCP, Client.Kind.UDP)) {
      Client client = node.addPod("client-" + clients.size()).client();
      int port = kind == Client.Kind.TCP ? 90 : 50;
      client.startLoad("load", kind, Family.IPV4.service(10), port, Duration.ofMillis(20));
      clients.add(client);
    }

    List<Sample> samples = new ArrayList<>();
    long begin = System.nanoTime();
    long end = begin + TimeUnit.SECONDS.toNanos(SECONDS);
    long changes = 0;
    while (System.nanoTime() < end) {
      change(changes++, servers);
      if (System.nanoTime() - begin > (samples.size() + 1) * (end - begin) / SAMPLES) {
        samples.add(sample(pid));
      }
      Eventually.pause(begin + changes * PAUSE_NANOS - System.nanoTime());
    }
    for (Client client : clients) {
      Client.LoadReport report = client.stopLoad("load");
      assertThat(report.attempts()).isGreaterThan(10L * SECONDS);
      // the last: a question that was open when its server had left for a while
      assertThat(List.of("s1", "s2", "s3", "ECONNABORTED")).containsAll(report.outcomes().keySet());
    }
    restore(servers);

    List<Sample> early = samples.subList(SAMPLES / 6, SAMPLES / 3);
    List<Sample> late = samples.subList(samples.size() - SAMPLES / 6, samples.size());
    System.out.printf(
        "soak: %d changes in %d s; early -> late medians: anonymous memory %d -> %d KiB,"
            + " descriptors %d -> %d, threads %d -> %d, pins %d -> %d%n",
        changes,
        SECONDS,
        median(early, Sample::anonymousKib),
        median(late, Sample::anonymousKib),
        median(early, Sample::descriptors),
        median(late, Sample::descriptors),
        median(early, Sample::threads),
        median(late, Sample::threads),
        median(early, Sample::pins),
        median(late, Sample::pins));
    assertThat(changes).isGreaterThan(50L * SECONDS);
    assertThat(node.agent().pid()).isEqualTo(pid);
    assertThat(node.agent().isAlive()).isTrue();
    assertThat(median(late, Sample::pins)).isEqualTo(median(early, Sample::pins));
    assertThat(median(late, Sample::descriptors))
        .isLessThanOrEqualTo(median(early, Sample::descriptors) + 2);
    assertThat(median(late, Sample::threads))
        .isLessThanOrEqualTo(median(early, Sample::threads) + 2);
    assertThat(median(late, Sample::anonymousKib))
        .isLessThanOrEqualTo(median(early, Sample::anonymousKib) * 11 / 10 + 8 * 1024);
    Eventually.soon(() -> assertThat(used()).isEqualTo(usedBefore));
  }

  private void change(long count, List<Pod> servers) {
    int number = (int) (count % SERVICES);
    if (gone[number]) {
      gone[number] = false;
      write(number);
    } else if (count % COME_AND_GO == 0) {
      gone[number] = true;
      node.delete(file(number));
    } else {
      versions[number]++;
      write(number);
    }
    if (count % 100 == 99) {
      int size = 1 + (int) (count / 100 % servers.size());
      node.write("pods.yaml", Manifest.pods("app: served", servers.subList(0, size)));
    }
  }

  private void restore(List<Pod> servers) {
    for (int i = 0; i < SERVICES; i++) {
      versions[i] = 0;
      write(i);
    }
    node.write("pods.yaml", Manifest.pods("app: served", servers));
  }

  private void write(int number) {
    node.write(file(number), World.manifest(number, versions[number]));
  }

  private static String file(int number) {
    return "churned-" + number + ".yaml";
  }

  /** An agent that is ready adds rows of its own, for what it checks through them. */
  private void awaitOwnRows() {
    Eventually.soon(
        () -> {
          Json health =
              Json.parse(node.host().curl("http://" + Node.HEALTHZ + "/healthz").orFail().out());
          assertThat(health.get("checks").elements())
              .filteredOn(check -> check.get("name").text().startsWith("canary-"))
              .hasSize(2)
              .allMatch(check -> check.get("status").text().equals("ok"));
        });
  }

  /** Entries of the maps that hold what is wanted. */
  private Map<String, Long> used() {
    Json maps = Json.parse(node.read("status", "-o", "json").orFail().out()).get("maps");
    Map<String, Long> used = new TreeMap<>();
    for (String map : List.of("frontends", "services", "backends")) {
      used.put(map, maps.get(map).get("used").number());
    }
    return used;
  }

  private Sample sample(long pid) throws IOException {
    Path process = Path.of("/proc/" + pid);
    long anonymous =
        Files.readAllLines(process.resolve("status")).stream()
            .filter(line -> line.startsWith("RssAnon:"))
            .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
            .findFirst()
            .orElseThrow();
    return new Sample(
        anonymous, entries(process.resolve("fd")), entries(process.resolve("task")), pins());
  }

  /** Names only: what is in /proc may be gone before its attributes are read. */
  private static long entries(Path directory) throws IOException {
    try (Stream<Path> paths = Files.list(directory)) {
      return paths.count();
    }
  }

  private long pins() throws IOException {
    try (Stream<Path> paths = Files.walk(node.bpfDirectory())) {
      return paths.count();
    }
  }

  private static long median(List<Sample> samples, ToLongFunction<Sample> of) {
    long[] sorted = samples.stream().mapToLong(of).sorted().toArray();
    return sorted[sorted.length / 2];
  }
}
