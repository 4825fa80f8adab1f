// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab.cluster;

import dev.patchbay.lab.Daemon;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Node;
import java.time.Duration;
import java.util.Optional;

/**
 * A real kube-proxy in the namespace of a node, to compare with. It works on packets, so the node
 * has to route for its Pods ({@link Node#routePods}), and only Pods that are added after that can
 * be its clients; the node itself can too. For one thread.
 */
public final class KubeProxy {
  private static final Duration START = Duration.ofSeconds(60);
  private static final String HEALTHZ = "127.0.0.1:10256";
  private static final String METRICS = "127.0.0.1:10249";

  private final Node node;
  private final Daemon process;

  private KubeProxy(Node node, Daemon process) {
    this.node = node;
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
    return start(cluster, node, nodeName, mode, START);
  }

  /** The same, with another limit for how long that may take. */
  public static KubeProxy start(
      Cluster cluster, Node node, String nodeName, ProxyMode mode, Duration patience) {
    Daemon process =
        node.host()
            .start(
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
                "--v=2");
    KubeProxy proxy = new KubeProxy(node, process);
    Eventually.within(
        patience,
        () -> {
          if (!process.isAlive()) {
            throw new IllegalStateException("kube-proxy has ended:\n" + process.err());
          }
          if (proxy.metric("kubeproxy_sync_proxy_rules_last_timestamp_seconds").isEmpty()) {
            throw new AssertionError("kube-proxy has not programmed anything:\n" + process.err());
          }
        });
    return proxy;
  }

  /** Its process. */
  public Daemon process() {
    return process;
  }

  /** What it serves at {@code /metrics}; empty while it does not. */
  public String metrics() {
    return node.host().curl("http://" + METRICS + "/metrics").out();
  }

  /** The largest value that a metric has with any labels, if it is there and not zero. */
  public Optional<Double> metric(String name) {
    return metrics()
        .lines()
        .filter(line -> line.startsWith(name + " ") || line.startsWith(name + "{"))
        .map(line -> Double.valueOf(line.substring(line.lastIndexOf(' ') + 1)))
        .filter(value -> value != 0)
        .max(Double::compare);
  }
}
