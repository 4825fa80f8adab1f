// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.scale;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.kernel.ServiceWords;
import dev.patchbay.lab.Daemon;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Manifest;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Patchbay;
import dev.patchbay.lab.Pod;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.Protocol;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.Scope;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A node full of connected UDP sockets whose backend leaves: how long until the last of them is
 * destroyed, and what that costs. What others do on the machine can only make it slower, so the
 * bound has to hold in one round of several; all of them are printed.
 *
 * <p>{@code -Dpatchbay.scale.sockets} changes their number.
 */
@EndToEnd
@Timeout(300)
class ManySocketsE2eTest {
  private static final int SOCKETS = Patchbay.setting("patchbay.scale.sockets", 100_000);
  private static final int PODS = 8;
  private static final int ROUNDS = 8;
  private static final Duration LIMIT = Duration.ofSeconds(1);
  private static final Duration QUIET = Duration.ofSeconds(1);
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** A tick of the clock in /proc/PID/stat. */
  private static final long TICK_MILLIS = 10;

  @AutoClose private final Lab lab = Lab.create();
  private final Node node = lab.addNode("node1");
  private final List<Pod> servers = node.addServers("s1", "s2");
  private final List<Pod> clients = new ArrayList<>();

  private void show(Pod server) {
    node.write("pods.yaml", Manifest.pods("app: server", List.of(server)));
  }

  private Daemon holder(Pod pod, Family family, int count) {
    return pod.start(
        "python3", Pod.script("holder.py"), family.service(10), "50", String.valueOf(count));
  }

  @Test
  void allAreDestroyedWithinASecond() throws Exception {
    for (int i = 0; i < PODS; i++) {
      clients.add(node.addPod("client" + i));
    }
    node.write("many.yaml", Manifest.serverService("many", 10, "app: server"));
    node.write("other.yaml", Manifest.serverService("other", 11, "app: other"));
    node.write("other-pod.yaml", Manifest.pods("app: other", node.addServers("o1")));
    show(servers.getFirst());
    node.startAgent();
    List<Long> millis = new ArrayList<>();
    while (millis.size() < 2
        || (millis.size() < ROUNDS && Collections.min(millis) > LIMIT.toMillis())) {
      millis.add(round(servers.get(1 - millis.size() % 2)));
    }
    System.out.println(SOCKETS + " sockets, ms from the change until the last: " + millis);
    assertThat(millis).anyMatch(time -> time <= LIMIT.toMillis());
  }

  private long round(Pod next) throws Exception {
    List<Daemon> holders = new ArrayList<>();
    for (int i = 0; i < PODS; i++) {
      Family family = i % 2 == 0 ? Family.IPV4 : Family.IPV6;
      holders.add(holder(clients.get(i), family, SOCKETS / PODS));
    }
    holders.forEach(holder -> holder.awaitOut("^ready$", PATIENCE));
    Daemon probe =
        clients
            .getFirst()
            .start("python3", Pod.script("holder.py"), Family.IPV4.service(11), "50", "0", "0.0005")
            .awaitOut("^ready$", PATIENCE);
    Eventually.pause(QUIET.toNanos());
    long cpu = cpuMillis();
    long changed;
    try (ServiceWords words = new ServiceWords(node.bpfDirectory())) {
      int index =
          words.index(
              new FrontendKey(
                  IpAddress.of(Family.IPV4.service(10)), 50, Protocol.UDP, Scope.INTERNAL));
      long before = words.word(index);
      show(next);
      while (words.word(index) == before) {
        Eventually.pause(100_000);
      }
      changed = System.nanoTime();
    }
    long last = 0;
    for (Daemon holder : holders) {
      holder.awaitOut("^failed ", PATIENCE);
      String[] words =
          holder
              .out()
              .lines()
              .filter(l -> l.startsWith("failed "))
              .findFirst()
              .orElseThrow()
              .split(" ", -1);
      assertThat(words[1]).isEqualTo(String.valueOf(SOCKETS / PODS));
      assertThat(words).hasSize(5).endsWith("ECONNABORTED");
      last = Math.max(last, Long.parseLong(words[3]));
    }
    long time = (last - changed) / 1_000_000;
    System.out.println("round: " + time + " ms, CPU of the agent " + (cpuMillis() - cpu) + " ms");
    probe.terminate();
    probe.awaitExit(PATIENCE);
    List<long[]> connects =
        probe
            .out()
            .lines()
            .filter(line -> line.startsWith("connect "))
            .map(
                line -> Stream.of(line.split(" ", -1)).skip(1).mapToLong(Long::parseLong).toArray())
            .toList();
    long end = last;
    print("before", connects.stream().filter(c -> c[0] < changed).mapToLong(c -> c[1]));
    print(
        "meanwhile",
        connects.stream().filter(c -> c[0] >= changed && c[0] <= end).mapToLong(c -> c[1]));
    node.agent()
        .err()
        .lines()
        .filter(line -> line.contains("destroyed sockets"))
        .reduce((a, b) -> b)
        .ifPresent(System.out::println);
    holders.forEach(Daemon::kill);
    for (Daemon holder : holders) {
      holder.awaitExit(PATIENCE);
    }
    return time;
  }

  private static void print(String when, LongStream nanos) {
    long[] sorted = nanos.sorted().toArray();
    if (sorted.length > 0) {
      System.out.printf(
          "connects of others, %s: %d, median %d us, p99 %d us, longest %d us%n",
          when,
          sorted.length,
          sorted[sorted.length / 2] / 1000,
          sorted[(int) (sorted.length * 0.99)] / 1000,
          sorted[sorted.length - 1] / 1000);
    }
  }

  private long cpuMillis() {
    try {
      String stat = Files.readString(Path.of("/proc/" + node.agent().pid() + "/stat"));
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
      return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) * TICK_MILLIS;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
