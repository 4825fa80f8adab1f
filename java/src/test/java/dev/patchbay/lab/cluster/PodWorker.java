// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab.cluster;

import dev.patchbay.lab.Json;
import dev.patchbay.lab.Node;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Plays one Pod on a thread of its own: starts it, probes it, says what it found in the Pod's
 * status, and ends it some time after its grace period is over.
 */
final class PodWorker {
  private static final Duration RESTART = Duration.ofSeconds(1);

  /**
   * How long a Pod whose grace period is over goes on running, not ready any more: whoever chooses
   * endpoints has to hear of it first, and after a conflict of two changes the controller of
   * EndpointSlices waits for a second before it tries again.
   */
  private static final Duration DRAIN = Duration.ofSeconds(3);

  /** What {@link #inbox} holds when the object is not there any more. */
  private static final Json GONE = Json.parse("[]");

  private final ApiClient client;
  private final Node node;
  private final NamespaceSockets sockets;
  private final String path;
  private final String started = now();
  private final LinkedBlockingQueue<Json> inbox = new LinkedBlockingQueue<>();
  private final CompletableFuture<PodSandbox> sandbox = new CompletableFuture<>();
  private final List<Container> containers = new ArrayList<>();
  private final Map<String, Condition> conditions = new LinkedHashMap<>();
  private final Thread thread;
  private Json object;
  private long restarts;
  private long restartAt = Long.MAX_VALUE;

  /** When it is not ready any more, and when it goes. */
  private long end = Long.MAX_VALUE;

  private long removal = Long.MAX_VALUE;
  private String published = "";

  PodWorker(ApiClient client, Node node, NamespaceSockets sockets, Json object) {
    this.client = client;
    this.node = node;
    this.sockets = sockets;
    this.object = object;
    path = ApiPath.of("v1", "pods", text("namespace")) + "/" + text("name");
    thread = Thread.ofVirtual().name("lab-pod-" + text("name")).start(this::run);
  }

  /** Takes note of a new state of the object. */
  void update(Json state) {
    inbox.add(state);
  }

  /** Takes note that the object is not there any more. */
  void vanish() {
    inbox.add(GONE);
  }

  /** Where it runs, as soon as it does. */
  CompletableFuture<PodSandbox> sandbox() {
    return sandbox;
  }

  /** Ends the thread; what the Pod has in the lab stays, for the lab to remove. */
  void stop() throws InterruptedException {
    thread.interrupt();
    thread.join(Duration.ofSeconds(10));
  }

  private void run() {
    try {
      PodSandbox place = new PodSandbox(node, object);
      for (Json container : object.get("spec").get("containers").elements()) {
        containers.add(
            new Container(
                container.get("name").text(),
                container.get("image").text(),
                Probe.readiness(container, sockets, place).orElse(null)));
      }
      start(place);
      sandbox.complete(place);
      while (play(place)) {
        Json state = inbox.poll(pause().toNanos(), TimeUnit.NANOSECONDS);
        if (state == GONE) {
          place.pod().remove();
          return;
        }
        if (state != null) {
          object = state;
        }
      }
      place.pod().remove();
      client.send("DELETE", path, "application/json", deletion());
    } catch (InterruptedException e) {
      // the kubelet stops
    } catch (RuntimeException | AssertionError e) {
      sandbox.completeExceptionally(e);
      if (!Thread.currentThread().isInterrupted()) {
        System.err.printf("kubelet of %s: Pod %s: %s%n", node, path, e);
      }
    }
  }

  private void start(PodSandbox place) {
    try {
      place.start();
      restartAt = Long.MAX_VALUE;
      containers.forEach(Container::begin);
    } catch (AssertionError e) {
      System.err.printf("kubelet of %s: Pod %s does not start: %s%n", node, path, e.getMessage());
      restartAt = System.nanoTime() + RESTART.toNanos();
    }
  }

  /** Does what is due now; false when the Pod has come to its end. */
  private boolean play(PodSandbox place) {
    long now = System.nanoTime();
    if (end == Long.MAX_VALUE && object.get("metadata").find("deletionTimestamp").isPresent()) {
      Duration grace =
          Duration.ofSeconds(
              object
                  .get("metadata")
                  .find("deletionGracePeriodSeconds")
                  .map(Json::number)
                  .orElse(0L));
      end = now + grace.toNanos();
      removal = grace.isZero() ? end : end + DRAIN.toNanos();
    }
    if (now >= removal) {
      return false;
    }
    if (now >= end) {
      containers.forEach(Container::leave);
      publish(place);
      return true;
    }
    if (restartAt == Long.MAX_VALUE && !place.runs()) {
      restartAt = now + RESTART.toNanos();
      restarts++;
      containers.forEach(Container::leave);
    } else if (now >= restartAt) {
      start(place);
    }
    if (restartAt == Long.MAX_VALUE) {
      containers.forEach(Container::probe);
    }
    publish(place);
    return true;
  }

  private Duration pause() {
    long now = System.nanoTime();
    // Whether the server still runs has to be asked for.
    long next = now + Duration.ofMillis(500).toNanos();
    next = Math.min(next, now < end ? Math.min(end, restartAt) : removal);
    for (Container container : containers) {
      next = Math.min(next, container.due);
    }
    return Duration.ofNanos(Math.max(0, next - now));
  }

  // --- Status -----------------------------------------------------------------------------------

  private void publish(PodSandbox place) {
    boolean ready = containers.stream().allMatch(c -> c.ready);
    condition("PodReadyToStartContainers", true);
    condition("Initialized", true);
    condition("ContainersReady", ready);
    condition("Ready", ready);
    Map<String, Object> status = new LinkedHashMap<>();
    status.put("phase", "Running");
    status.put("startTime", started);
    status.put("hostIP", node.host().ipv4());
    status.put("hostIPs", addresses(node.host().ipv4(), node.host().ipv6()));
    status.put("podIP", place.pod().ipv4());
    status.put("podIPs", addresses(place.pod().ipv4(), place.pod().ipv6()));
    status.put(
        "conditions",
        conditions.entrySet().stream()
            .map(
                condition ->
                    Map.of(
                        "type",
                        condition.getKey(),
                        "status",
                        condition.getValue().holds() ? "True" : "False",
                        "lastTransitionTime",
                        condition.getValue().since()))
            .toList());
    status.put("containerStatuses", containers.stream().map(this::status).toList());
    String text = Json.write(Map.of("status", status));
    if (!text.equals(published)) {
      ApiResponse answer =
          client.send(
              "PATCH",
              path + "/status",
              "application/strategic-merge-patch+json",
              Json.parse(text));
      if (answer.isOk()) {
        published = text;
      } // otherwise again the next time; the object may have gone
    }
  }

  private void condition(String type, boolean holds) {
    conditions.compute(
        type,
        (t, before) ->
            before != null && before.holds == holds ? before : new Condition(holds, now()));
  }

  private Map<String, Object> status(Container container) {
    boolean runs = restartAt == Long.MAX_VALUE;
    return Map.of(
        "name",
        container.name,
        "image",
        container.image,
        "imageID",
        container.image,
        "containerID",
        "lab://" + container.name,
        "ready",
        container.ready,
        "started",
        runs,
        "restartCount",
        restarts,
        "state",
        runs
            ? Map.of("running", Map.of("startedAt", started))
            : Map.of("waiting", Map.of("reason", "CrashLoopBackOff")));
  }

  private static List<Map<String, String>> addresses(String... addresses) {
    return java.util.stream.Stream.of(addresses).map(ip -> Map.of("ip", ip)).toList();
  }

  private Map<String, Object> deletion() {
    return Map.of(
        "apiVersion",
        "v1",
        "kind",
        "DeleteOptions",
        "gracePeriodSeconds",
        0,
        "preconditions",
        Map.of("uid", text("uid")));
  }

  private String text(String field) {
    return object.get("metadata").get(field).text();
  }

  private static String now() {
    return Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
  }

  /** A condition of the Pod, and since when it is so. */
  private record Condition(boolean holds, String since) {}

  /** What is known of a container. */
  private static final class Container {
    private final String name;
    private final String image;
    private final @Nullable Probe probe;
    private boolean ready;
    private long due = Long.MAX_VALUE;
    private int successes;
    private int failures;

    Container(String name, String image, @Nullable Probe probe) {
      this.name = name;
      this.image = image;
      this.probe = probe;
    }

    void begin() {
      successes = 0;
      failures = 0;
      ready = probe == null;
      due = probe == null ? Long.MAX_VALUE : System.nanoTime() + probe.initialDelay().toNanos();
    }

    /** It is not ready, and not asked any more: it has crashed, or it is to go. */
    void leave() {
      ready = false;
      due = Long.MAX_VALUE;
    }

    void probe() {
      if (probe == null || System.nanoTime() < due) {
        return;
      }
      due = System.nanoTime() + probe.period().toNanos();
      if (probe.succeeds()) {
        failures = 0;
        ready |= ++successes >= probe.successThreshold();
      } else {
        successes = 0;
        ready &= ++failures < probe.failureThreshold();
      }
    }
  }
}
