// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.kernel.KernelException;
import dev.patchbay.kernel.ServiceWords;
import dev.patchbay.lab.Client;
import dev.patchbay.lab.Client.Interval;
import dev.patchbay.lab.Client.Kind;
import dev.patchbay.lab.Client.LoadReport;
import dev.patchbay.lab.Daemon;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Patchbay;
import dev.patchbay.lab.Pod;
import dev.patchbay.lab.cluster.ApiObjects;
import dev.patchbay.lab.cluster.ApiPath;
import dev.patchbay.lab.cluster.Cluster;
import dev.patchbay.lab.cluster.KubeProxy;
import dev.patchbay.lab.cluster.ManyServices;
import dev.patchbay.lab.cluster.ProxyMode;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.Protocol;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * How long it takes from a change of an EndpointSlice in the API server until the kernel has it, in
 * a large cluster with many changes, beside kube-proxy on the same API server.
 *
 * <p>Two ways to look. Of each change: when the word in the map differs, seen from outside of the
 * agent. Of some changes, on both sides: when the first connection reaches the new endpoint.
 *
 * <p>The moment of the commit lies between the request and its answer, so times are given from
 * both: the first are too long, by what the API server needs before it commits; the second are too
 * short, and may be negative, by what it needs afterwards.
 */
@EndToEnd
@Timeout(value = 590, unit = TimeUnit.SECONDS)
class LatencyClusterTest {
  private static final int SERVICES = Patchbay.setting("patchbay.latency.services", 10_000);
  private static final int PER_SECOND = Patchbay.setting("patchbay.latency.rate", 100);
  private static final int SECONDS = Patchbay.setting("patchbay.latency.seconds", 30);
  private static final Duration FLIP = Duration.ofSeconds(3);
  private static final Duration PROBE = Duration.ofMillis(2);
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final String JSON = "application/json";
  private static final String SLICES =
      ApiPath.of("discovery.k8s.io/v1", "endpointslices", "default") + "/";

  /** A change; times on the clock of {@link System#nanoTime()}, 0 while not known. */
  private static final class Change {
    final int index;
    final long before;
    volatile long sent;
    volatile long answered;
    volatile long inKernel;

    Change(int index, long before) {
      this.index = index;
      this.before = before;
    }
  }

  @AutoClose private final Lab lab = Lab.create();
  private final Cluster cluster = Cluster.startApiServer(lab);
  private final Node ours = lab.addNode("ours");
  private final Node theirs = lab.addNode("theirs");
  private final List<CompletableFuture<Void>> answers = new ArrayList<>();
  private volatile boolean over;

  @Test
  void changesArriveSoonerThanThroughKubeProxy()
      throws IOException, InterruptedException, KernelException {
    theirs.routePods();
    cluster.join(ours, "");
    cluster.join(theirs, "");
    Node servers = lab.addNode("servers");
    List<Pod> ends = servers.addServers("a", "b");
    ManyServices many = ManyServices.store(cluster, SERVICES, 10);
    String flips =
        cluster.api().create(ApiObjects.service("flips")).get("spec").get("clusterIP").text();
    cluster.api().create(ApiObjects.slice("flips", List.of(ends.getFirst().ipv4())));

    ours.useKubeconfig(cluster.kubeconfig("latency", "system:masters"));
    Daemon agent = ours.launchAgent().awaitOut("^ready", PATIENCE);
    KubeProxy proxy = KubeProxy.start(cluster, theirs, ProxyMode.NFTABLES);
    Client ourClient = ours.addPod("our-client").client();
    Client theirClient = theirs.addPod("their-client").client();
    for (Client client : List.of(ourClient, theirClient)) {
      Eventually.within(PATIENCE, () -> assertThat(client.hit(Kind.TCP, flips, 80)).isEqualTo("a"));
      client.startLoad("flips", Kind.TCP, flips, 80, PROBE);
    }

    List<Change> flipped = new ArrayList<>();
    List<Change> changes;
    Duration ourTime = cpu(agent);
    Duration theirTime = cpu(proxy.process());
    try (ServiceWords words = new ServiceWords(ours.bpfDirectory())) {
      Queue<Change> pending = new ConcurrentLinkedQueue<>();
      Thread watcher =
          Thread.ofPlatform().name("latency-watcher").start(() -> look(words, pending));
      changes = change(many, words, pending, flipped, ends);
      Eventually.within(PATIENCE, () -> assertThat(pending).isEmpty());
      answers.forEach(CompletableFuture::join);
      over = true;
      watcher.join();
    }
    ourTime = cpu(agent).minus(ourTime);
    theirTime = cpu(proxy.process()).minus(theirTime);
    System.out.printf(
        "latency: %d Services, %d changes in %d s, machine load %s%n",
        SERVICES,
        changes.size(),
        SECONDS,
        Files.readString(Path.of("/proc/loadavg")).split(" ", 2)[0]);
    long[] upper = changes.stream().mapToLong(c -> c.inKernel - c.sent).toArray();
    print("request to kernel map, all changes", upper);
    print(
        "answer to kernel map, all changes",
        changes.stream().mapToLong(c -> c.inKernel - c.answered).toArray());
    print("request to answer", changes.stream().mapToLong(c -> c.answered - c.sent).toArray());
    long[] our = arrivals(ourClient.stopLoad("flips"), flipped);
    long[] their = arrivals(theirClient.stopLoad("flips"), flipped);
    print("request to first connection, Patchbay", our);
    print("request to first connection, kube-proxy nftables", their);
    System.out.printf(
        "latency: of %d flips seen within %s: Patchbay %d, kube-proxy %d; processor time: agent %s,"
            + " kube-proxy without its nft %s%n",
        flipped.size(), FLIP, our.length, their.length, ourTime, theirTime);
    assertThat(our).as("flips that arrived").hasSameSizeAs(flipped);
    // Generous, since the API server and kube-proxy want the same processors.
    assertThat(percentile(upper, 50)).as("p50 ms").isLessThan(500.0);
    assertThat(percentile(our, 50))
        .as("p50 ms beside kube-proxy's")
        .isLessThan(their.length == 0 ? 1.0 * FLIP.toMillis() : percentile(their, 50));
  }

  /** Sends changes at an even pace; what they did is seen by {@link #look}. */
  private List<Change> change(
      ManyServices many,
      ServiceWords words,
      Queue<Change> pending,
      List<Change> flipped,
      List<Pod> ends) {
    List<Change> changes = new ArrayList<>();
    long pace = TimeUnit.SECONDS.toNanos(1) / PER_SECOND;
    long start = System.nanoTime();
    long nextFlip = start + FLIP.toNanos() / 2;
    for (int i = 0; i < SECONDS * PER_SECOND; i++) {
      long wait = start + i * pace - System.nanoTime();
      if (wait > 0) {
        Eventually.pause(wait);
      }
      if (System.nanoTime() >= nextFlip) {
        nextFlip += FLIP.toNanos();
        Change flip = new Change(-1, 0);
        Pod end = ends.get((flipped.size() + 1) % ends.size());
        flipped.add(flip);
        send(flip, "flips-1", ApiObjects.slice("flips", List.of(end.ipv4())));
        continue;
      }
      int service = i % many.count();
      FrontendKey frontend =
          new FrontendKey(
              IpAddress.parse(many.address(service)).orElseThrow(),
              80,
              Protocol.TCP,
              Scope.INTERNAL);
      int index = words.index(frontend);
      Change change = new Change(index, words.word(index));
      Map<String, ?> slice = many.slice(service, 1 + i / many.count());
      changes.add(change);
      pending.add(change);
      send(change, "many-" + service + "-x7k2p", slice);
    }
    return changes;
  }

  private void send(Change change, String slice, Map<String, ?> object) {
    change.sent = System.nanoTime();
    answers.add(
        cluster
            .api()
            .sendAsync("PUT", SLICES + slice, JSON, object)
            .thenAccept(
                answer -> {
                  change.answered = System.nanoTime();
                  answer.orFail();
                }));
  }

  /** Ten thousand times a second, which is as exact as it gets. */
  private void look(ServiceWords words, Queue<Change> pending) {
    while (!over) {
      pending.removeIf(
          change -> {
            boolean done = change.sent != 0 && words.word(change.index) != change.before;
            if (done) {
              change.inKernel = System.nanoTime();
            }
            return done;
          });
      LockSupport.parkNanos(100_000);
    }
  }

  /** From each request to the start of the first connection that it led elsewhere. */
  private static long[] arrivals(LoadReport report, List<Change> flipped) {
    List<Long> times = new ArrayList<>();
    for (int i = 0; i < flipped.size(); i++) {
      long sent = flipped.get(i).sent;
      report.outcomes().getOrDefault(i % 2 == 0 ? "b" : "a", List.of()).stream()
          .mapToLong(Interval::start)
          .filter(at -> at > sent && at < sent + FLIP.toNanos())
          .min()
          .ifPresent(at -> times.add(at - sent));
    }
    return times.stream().mapToLong(Long::longValue).toArray();
  }

  private static Duration cpu(Daemon daemon) {
    return ProcessHandle.of(daemon.pid())
        .flatMap(handle -> handle.info().totalCpuDuration())
        .orElse(Duration.ZERO);
  }

  private static void print(String what, long[] nanos) {
    System.out.printf(
        "latency: %s: n=%d p50 %.1f ms, p90 %.1f ms, p99 %.1f ms, max %.1f ms%n",
        what,
        nanos.length,
        percentile(nanos, 50),
        percentile(nanos, 90),
        percentile(nanos, 99),
        percentile(nanos, 100));
  }

  /** In milliseconds; the nearest rank. */
  private static double percentile(long[] nanos, int percent) {
    if (nanos.length == 0) {
      return Double.NaN;
    }
    long[] sorted = nanos.clone();
    Arrays.sort(sorted);
    int rank = (int) Math.ceil(percent / 100.0 * sorted.length);
    return sorted[Math.max(0, rank - 1)] / 1e6;
  }
}
