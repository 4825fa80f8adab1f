// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab.cluster;

import dev.patchbay.lab.Daemon;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Pod;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * A real kube-proxy in the namespace of a node, to compare with. It works on packets, so the node
 * has to route for its Pods ({@link Node#routePods}), and only Pods that are added after that can
 * be its clients; the node itself can too. For one thread.
 */
public final class KubeProxy {
  private static final Duration START = Duration.ofSeconds(60);

  /**
   * It programs each family by itself, and has a value of some metrics for each that it has done.
   */
  private static final int FAMILIES = 2;

  private static final String HEALTHZ = "127.0.0.1:10256";
  private static final String METRICS = "127.0.0.1:10249";

  private final Pod place;
  private final Daemon process;

  private KubeProxy(Pod place, Daemon process) {
    this.place = place;
    this.process = process;
  }

  /** Starts it with its defaults, and waits until it has programmed the kernel once. */
  public static KubeProxy start(Cluster cluster, Node node, ProxyMode mode) {
    return start(cluster, node, node.name(), mode);
  }

  /**
   * Starts it under another name of its Node, and waits until it has programmed the kernel once.
   */
  public static KubeProxy start(Cluster cluster, Node node, String nodeName, ProxyMode mode) {
    KubeProxy proxy = launch(cluster, node.host(), nodeName, mode);
    Eventually.within(
        START,
        () -> {
          if (proxy.lastSync().isEmpty()) {
            throw new AssertionError("kube-proxy has not programmed anything");
          }
        });
    return proxy;
  }

  /**
   * Starts it in a place of its own in the namespace of its node, and does not wait.
   *
   * @param place where its cgroup is; what it starts is there too
   */
  public static KubeProxy launch(Cluster cluster, Pod place, String nodeName, ProxyMode mode) {
    return launch(cluster, place, nodeName, mode, System.getenv("PATH"));
  }

  /**
   * The same with a path of its own, on which it finds its tools.
   *
   * @param path as in {@code $PATH}
   */
  public static KubeProxy launch(
      Cluster cluster, Pod place, String nodeName, ProxyMode mode, String path) {
    return new KubeProxy(
        place,
        place.start(
            "env",
            "PATH=" + path,
            cluster.program("kube-proxy"),
            "--kubeconfig=" + cluster.kubeconfig("system:kube-proxy"),
            "--hostname-override=" + nodeName,
            "--proxy-mode=" + mode.option(),
            "--detect-local-mode=InterfaceNamePrefix",
            "--pod-interface-name-prefix=" + Node.POD_INTERFACES,
            // What concerns the whole machine is left as it is.
            "--conntrack-max-per-core=0",
            "--conntrack-min=0",
            "--conntrack-tcp-timeout-established=0s",
            "--conntrack-tcp-timeout-close-wait=0s",
            "--oom-score-adj=0",
            "--healthz-bind-address=" + HEALTHZ,
            "--metrics-bind-address=" + METRICS,
            "--v=2"));
  }

  /**
   * When it was done with both families for the last time; empty as long as it was not.
   *
   * @throws IllegalStateException if it has ended
   */
  public Optional<Instant> lastSync() {
    if (!process.isAlive()) {
      throw new IllegalStateException("kube-proxy has ended:\n" + process.err());
    }
    List<Double> seconds = values("kubeproxy_sync_proxy_rules_last_timestamp_seconds");
    return seconds.size() < FAMILIES || seconds.contains(0.0)
        ? Optional.empty()
        : Optional.of(Instant.ofEpochMilli(Math.round(1000 * Collections.max(seconds))));
  }

  /** Its process. */
  public Daemon process() {
    return process;
  }

  /** What it serves at {@code /metrics}; empty while it does not. */
  public String metrics() {
    return place.node().host().curl("http://" + METRICS + "/metrics").out();
  }

  /** The largest value that a metric has with any labels, if it is there and not zero. */
  public Optional<Double> metric(String name) {
    return values(name).stream().filter(value -> value != 0).max(Double::compare);
  }

  /** The values that a metric has with any labels. */
  public List<Double> values(String name) {
    return metrics()
        .lines()
        .filter(line -> line.startsWith(name + " ") || line.startsWith(name + "{"))
        .map(line -> Double.valueOf(line.substring(line.lastIndexOf(' ') + 1)))
        .toList();
  }
}
