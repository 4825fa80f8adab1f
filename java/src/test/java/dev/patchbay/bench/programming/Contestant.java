// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench.programming;

import dev.patchbay.bench.Iptables;
import dev.patchbay.bench.Peer;
import dev.patchbay.lab.Commands;
import dev.patchbay.lab.Daemon;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Patchbay;
import dev.patchbay.lab.Pod;
import dev.patchbay.lab.cluster.Cluster;
import dev.patchbay.lab.cluster.KubeProxy;
import dev.patchbay.lab.cluster.ProxyMode;
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Patchbay or kube-proxy on a node of its own, fed by the API server that all share, with a Pod
 * from which clients connect. While one is measured the others are stopped. For one thread.
 */
abstract sealed class Contestant implements AutoCloseable {
  private static final Duration AFTERWARDS = Duration.ofSeconds(1);

  /** A start, until everything was in the kernel, and what it cost. */
  record Start(Duration took, Duration processor, long peak) {}

  private final Peer peer;
  private final Node node;
  private final Pod place;
  private final ProcessGroup group;
  private final Optional<KernelMemory> kernel;
  private @Nullable Pod client;

  private Contestant(Cluster cluster, Lab lab, Peer peer, String name, boolean routes) {
    this.peer = peer;
    node = lab.addNode(name);
    if (routes) {
      node.routePods();
    }
    cluster.join(node, "");
    place = node.addHostPod("proxy-" + name);
    group = new ProcessGroup(place.cgroup());
    kernel = KernelMemory.of(lab, group);
  }

  static Contestant patchbay(Cluster cluster, Lab lab) {
    return new OfPatchbay(cluster, lab);
  }

  static Contestant kubeProxy(Cluster cluster, Lab lab, ProxyMode mode) {
    return new OfKubeProxy(cluster, lab, mode);
  }

  /** Starts it and waits until the kernel has everything. */
  abstract Duration launch(Duration limit);

  /** Removes what it left in the kernel. */
  abstract void cleanUp();

  /** Runs one of the tools that it uses, as it would, and lets it take its time. */
  final Daemon run(String shell) {
    return node.host().start("env", "PATH=" + path(), "sh", "-c", shell);
  }

  /** Where its tools are found. */
  abstract String path();

  /** What it says itself about how long it took to program changes so far, if it does. */
  abstract Optional<Syncs> syncs();

  /**
   * How often the kernel was programmed, and how long that took together.
   *
   * @param count of the IPv4 half
   * @param seconds of the IPv4 half
   */
  record Syncs(double count, double seconds) {}

  final Peer peer() {
    return peer;
  }

  final Node node() {
    return node;
  }

  final Pod place() {
    return place;
  }

  final ProcessGroup group() {
    return group;
  }

  /** Bytes in the kernel on its behalf; empty where nobody knows. */
  final Optional<Long> kernelBytes() {
    return kernel.map(KernelMemory::bytes);
  }

  final Pod client() {
    Pod pod = client;
    if (pod == null) {
      pod = node.addPod("from-" + node.name());
      client = pod;
    }
    return pod;
  }

  /** Starts it and says what that cost. */
  final Start start(Duration limit) {
    Duration before = group.processorTime();
    try (Peak peak = new Peak(group)) {
      Duration took = launch(limit);
      Duration processor = group.processorTime().minus(before);
      settle(AFTERWARDS); // what a start leaves behind counts as its memory
      return new Start(took, processor, peak.bytes());
    }
  }

  /** For {@link #launch}, as soon as there is a process. */
  final void count(Daemon process) {
    kernel.ifPresent(memory -> memory.add(process.pid()));
  }

  /** Stops all its processes, so that others have the machine for themselves. */
  final void pause() {
    signal("-STOP");
  }

  /** Lets it go on. */
  final void resume() {
    signal("-CONT");
  }

  private void signal(String signal) {
    List<String> command = new ArrayList<>(List.of("kill", signal));
    group.processes().forEach(pid -> command.add(Long.toString(pid)));
    if (command.size() > 2) {
      var ignored = Commands.run(Commands.PATIENCE, command, "");
    }
  }

  /** Waits until it has had little to do for a while, or the limit is over. */
  final void settle(Duration limit) {
    long end = System.nanoTime() + limit.toNanos();
    Duration quiet = Duration.ofMillis(500);
    Duration before;
    do {
      before = group.processorTime();
      Eventually.pause(quiet.toNanos());
    } while (group.processorTime().minus(before).toMillis() > 20 && System.nanoTime() < end);
  }

  /** Kills it; what it programmed stays. */
  final void kill() {
    resume();
    place.killProcesses();
  }

  @Override
  public final void close() {
    kill();
    kernel.ifPresent(KernelMemory::close);
  }

  private static final class OfPatchbay extends Contestant {
    private final Node node;

    OfPatchbay(Cluster cluster, Lab lab) {
      super(cluster, lab, Peer.PATCHBAY, "patchbay", false);
      node = node();
      node.useKubeconfig(cluster.kubeconfig("patchbay", "system:masters"));
    }

    @Override
    Duration launch(Duration limit) {
      List<String> command = new ArrayList<>(List.of(Patchbay.binary()));
      command.addAll(node.runArguments());
      long start = System.nanoTime();
      Daemon started = place().start(command.toArray(String[]::new));
      count(started);
      Daemon ignored = started.awaitOut("^ready", limit);
      return Duration.ofNanos(System.nanoTime() - start);
    }

    @Override
    void cleanUp() {
      var ignored = node.cleanup().orFail();
      if (Files.exists(node.stateDirectory())) {
        Lab.deleteTree(node.stateDirectory());
      }
    }

    @Override
    String path() {
      return System.getenv("PATH");
    }

    @Override
    Optional<Syncs> syncs() {
      return Optional.empty();
    }
  }

  private static final class OfKubeProxy extends Contestant {
    private static final long POLL = TimeUnit.MILLISECONDS.toNanos(100);

    private final Cluster cluster;
    private final ProxyMode mode;
    private final String path;
    private @Nullable KubeProxy proxy;

    OfKubeProxy(Cluster cluster, Lab lab, ProxyMode mode) {
      super(
          cluster,
          lab,
          mode == ProxyMode.IPTABLES ? Peer.IPTABLES : Peer.NFTABLES,
          mode == ProxyMode.IPTABLES ? "iptables" : "nftables",
          true);
      this.cluster = cluster;
      this.mode = mode;
      path = Iptables.path(lab.newDirectory("tools"));
    }

    @Override
    Duration launch(Duration limit) {
      Instant begin = Instant.now();
      long end = System.nanoTime() + limit.toNanos();
      KubeProxy started = KubeProxy.launch(cluster, place(), node().name(), mode, path);
      proxy = started;
      count(started.process());
      while (System.nanoTime() < end) {
        Eventually.pause(POLL); // it says itself when it was done
        Optional<Instant> done = started.lastSync();
        if (done.isPresent()) {
          return Duration.between(begin, done.get());
        }
      }
      throw new IllegalStateException("kube-proxy has not programmed anything within " + limit);
    }

    @Override
    void cleanUp() {
      Daemon cleaning =
          run(
              """
              for family in ip ip6; do nft delete table $family kube-proxy; done
              for tool in iptables ip6tables; do
                for table in nat filter mangle; do $tool -t $table -F; $tool -t $table -X; done
              done
              """);
      int _ = cleaning.awaitExit(Duration.ofMinutes(1));
    }

    @Override
    String path() {
      return path;
    }

    @Override
    Optional<Syncs> syncs() {
      KubeProxy running = Objects.requireNonNull(proxy);
      String metric = "kubeproxy_sync_proxy_rules_duration_seconds_";
      String text = running.metrics();
      return Optional.of(new Syncs(sum(text, metric + "count"), sum(text, metric + "sum")));
    }

    private static double sum(String metrics, String name) {
      return metrics
          .lines()
          .filter(line -> line.startsWith(name + "{") && line.contains("ip_family=\"IPv4\""))
          .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
          .sum();
    }
  }
}
