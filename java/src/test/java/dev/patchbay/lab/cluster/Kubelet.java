// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab.cluster;

import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Json;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Pod;
import dev.patchbay.lab.Result;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Plays a Node: registers it, and runs the Pods that are bound to it in namespaces of the lab.
 *
 * <p>No image is used and no command of a container is run. Whatever a manifest says, a Pod is the
 * test server ({@code server.py}) on all its container ports: UDP ports echo datagrams; of the TCP
 * ports, those whose name begins with {@code banner} or {@code echo} do that, the others serve
 * HTTP. It answers with the name of the Pod.
 *
 * <p>Readiness comes from the readiness probe, with the times it says: {@code httpGet}, {@code
 * tcpSocket}, {@code exec}. There are no liveness and no startup probes; a server that dies is
 * started again after a second. A Pod that is deleted goes on serving, and being probed, until its
 * grace period is over. Then it is not ready any more, and some seconds later, when everybody
 * knows, it goes; without a grace period it goes at once.
 *
 * <p>It is closed with its lab. Its methods are for any thread.
 */
public final class Kubelet implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final Cluster cluster;
  private final Node node;
  private final NamespaceSockets sockets;
  private final Map<String, PodWorker> workers = new ConcurrentHashMap<>();
  private final Reflector reflector;

  Kubelet(Cluster cluster, Node node, String zone) {
    this.cluster = cluster;
    this.node = node;
    sockets = new NamespaceSockets(node.host().namespace());
    register(zone);
    reflector =
        new Reflector(
            cluster.api(),
            "/api/v1/pods?fieldSelector=spec.nodeName=" + node.name(),
            this::present,
            this::gone);
    node.lab().onClose(this::close);
  }

  /** The Node that it plays. */
  public Node node() {
    return node;
  }

  private void register(String zone) {
    Map<String, String> labels = new HashMap<>();
    labels.put("kubernetes.io/hostname", node.name());
    labels.put("kubernetes.io/os", "linux");
    if (!zone.isEmpty()) {
      labels.put("topology.kubernetes.io/zone", zone);
    }
    cluster
        .api()
        .apply(
            Map.of(
                "apiVersion",
                "v1",
                "kind",
                "Node",
                "metadata",
                Map.of("name", node.name(), "labels", labels)));
    Map<String, String> resources = Map.of("cpu", "64", "memory", "256Gi", "pods", "1000");
    String now = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
    cluster
        .api()
        .merge(
            "/api/v1/nodes/" + node.name() + "/status",
            Map.of(
                "status",
                Map.of(
                    "capacity",
                    resources,
                    "allocatable",
                    resources,
                    "conditions",
                    List.of(
                        Map.of(
                            "type",
                            "Ready",
                            "status",
                            "True",
                            "reason",
                            "KubeletReady",
                            "message",
                            "played by the lab",
                            "lastHeartbeatTime",
                            now,
                            "lastTransitionTime",
                            now)),
                    "addresses",
                    List.of(
                        Map.of("type", "InternalIP", "address", node.host().ipv4()),
                        Map.of("type", "InternalIP", "address", node.host().ipv6()),
                        Map.of("type", "Hostname", "address", node.name())))));
  }

  private void present(Json object) {
    PodWorker worker = workers.get(uid(object));
    if (worker == null) {
      workers.put(uid(object), new PodWorker(cluster.api(), node, sockets, object));
    } else {
      worker.update(object);
    }
  }

  private void gone(Json object) {
    Optional.ofNullable(workers.remove(uid(object))).ifPresent(PodWorker::vanish);
  }

  private static String uid(Json object) {
    return object.get("metadata").get("uid").text();
  }

  // --- What tests do with Pods ------------------------------------------------------------------

  /** Where a Pod runs; waits until it is there. */
  public Pod pod(String namespace, String name) {
    return sandbox(namespace, name).pod();
  }

  /**
   * Runs a command in a Pod, as {@code kubectl exec}; {@code /tmp} and {@code /var} are its own.
   */
  public Result exec(String namespace, String name, String... command) {
    return sandbox(namespace, name).exec(PATIENCE, List.of(command));
  }

  /** Has a Pod answer HTTP requests for a path with a status from now on; 200 is the usual one. */
  public void answer(String namespace, String name, String path, int status) {
    sandbox(namespace, name).answer(path, status);
  }

  private PodSandbox sandbox(String namespace, String name) {
    PodWorker[] found = new PodWorker[1];
    Eventually.within(
        PATIENCE,
        () -> {
          String uid = uid(cluster.api().get(ApiPath.of("v1", "pods", namespace) + "/" + name));
          PodWorker worker = workers.get(uid);
          if (worker == null) {
            throw new AssertionError("no Pod " + namespace + "/" + name + " on " + node);
          }
          found[0] = worker;
        });
    try {
      return found[0].sandbox().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    } catch (ExecutionException | TimeoutException e) {
      throw new AssertionError("Pod " + namespace + "/" + name + " does not start", e);
    }
  }

  /** Stops to play the Node: its Pods go on running, and nobody looks after them. */
  @Override
  public void close() {
    reflector.close();
    try {
      for (PodWorker worker : workers.values()) {
        worker.stop();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    sockets.close();
  }
}
