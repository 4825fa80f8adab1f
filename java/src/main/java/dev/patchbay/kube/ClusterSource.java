// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import dev.patchbay.kube.ClusterSettings.ServiceAccount;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Problem;
import dev.patchbay.model.Problem.Severity;
import dev.patchbay.model.ServiceState;
import dev.patchbay.model.SourceUpdate;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A cluster as a source of Services: Services and EndpointSlices selected as kube-proxy selects
 * them, and all Nodes.
 *
 * <p>While the API server is away the last state stays in force; what changed meanwhile is told
 * when it is back. Objects that are odd are reported as {@linkplain SourceUpdate#problems()
 * problems}, and as Events on the Service.
 *
 * <p>Threads: one for each kind of object, {@code patchbay-services} and so on; {@code
 * patchbay-cluster} calls the listener; {@code patchbay-credentials} looks at files. All are
 * daemons. {@link #load} and {@link #watch} are called once each, in this order, by one thread; all
 * else by any.
 */
public final class ClusterSource implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ClusterSource.class);

  /** {@code !service.kubernetes.io/service-proxy-name}: not for another proxy. */
  private static final String NO_PROXY_NAME =
      "labelSelector=%21service.kubernetes.io%2Fservice-proxy-name";

  /** {@code !service.kubernetes.io/headless}: the controller labels slices of headless Services. */
  private static final String NOT_HEADLESS = "labelSelector=%21service.kubernetes.io%2Fheadless";

  /** {@code spec.clusterIP!=None}. */
  private static final String HAS_CLUSTER_IP = "fieldSelector=spec.clusterIP%21%3DNone";

  private static final ObjectKey KUBERNETES = new ObjectKey("default", "kubernetes");
  private static final Duration EVENT_PAUSE = Duration.ofMillis(200);

  private final ClusterSettings settings;
  private final Timing timing;
  private final ApiClient api;
  private final Connectivity connectivity = new Connectivity(3);
  private final ClusterState state = new ClusterState();
  private final List<ListWatch<?>> kinds;
  private final List<Thread> threads = new ArrayList<>();
  private final EventWriter events;
  private boolean loading;
  private boolean watching;
  private List<Problem> told = List.of();
  private @Nullable SourceUpdate last;
  private @Nullable URI complainedAbout;
  private volatile boolean closed;

  /**
   * Reads the credentials; connects to nothing yet.
   *
   * @throws IOException if the credentials cannot be used; the message names the file
   */
  public ClusterSource(ClusterSettings settings) throws IOException {
    this(settings, Timing.STANDARD);
  }

  ClusterSource(ClusterSettings settings, Timing timing) throws IOException {
    this.settings = settings;
    this.timing = timing;
    this.api = new ApiClient(settings, timing);
    SliceTranslator slices = new SliceTranslator();
    // Slices first: they are most of what there is to read.
    this.kinds =
        List.of(
            new ListWatch<>(
                new ListWatch.Kind(
                    "endpointslices", "/apis/discovery.k8s.io/v1/endpointslices", NOT_HEADLESS, ""),
                api,
                timing,
                connectivity,
                new SliceReader(),
                slices::translate,
                state.sliceStore),
            new ListWatch<>(
                new ListWatch.Kind("services", "/api/v1/services", NO_PROXY_NAME, HAS_CLUSTER_IP),
                api,
                timing,
                connectivity,
                new ServiceReader(),
                ServiceTranslator::translate,
                state.serviceStore),
            new ListWatch<>(
                new ListWatch.Kind("nodes", "/api/v1/nodes", "", ""),
                api,
                timing,
                connectivity,
                new NodeReader(),
                NodeTranslator::translate,
                state.nodeStore));
    this.events = new EventWriter(api, settings.nodeName(), state::uid, EVENT_PAUSE);
  }

  /**
   * Reads everything; returns when the first lists of all kinds are complete. Waits for as long as
   * there is no API server that answers. The node itself need not exist yet.
   *
   * @return all Services, all problems, all Nodes
   * @throws CancellationException if closed meanwhile
   * @throws IllegalStateException if called twice
   */
  public SourceUpdate load() throws InterruptedException {
    synchronized (this) {
      if (loading) {
        throw new IllegalStateException("the cluster is loaded already");
      }
      loading = true;
      if (!closed) {
        for (ListWatch<?> kind : kinds) {
          start("patchbay-" + kind.health().name(), kind);
        }
        start("patchbay-credentials", this::lookAfterCredentials);
      }
    }
    state.awaitLists(() -> closed);
    if (closed) {
      throw new CancellationException("the source was closed");
    }
    SourceUpdate complete = state.takeNow();
    report(complete);
    return complete;
  }

  /**
   * Tells of changes since {@link #load}, from a thread of its own.
   *
   * @throws IllegalStateException before {@link #load}, or if called twice
   */
  public synchronized void watch(ClusterListener listener) {
    if (!loading || watching || last == null) {
      throw new IllegalStateException("load once, then watch once");
    }
    watching = true;
    if (!closed) {
      start("patchbay-cluster", () -> tell(listener));
    }
  }

  /** For Events about Services, until this source is closed. */
  public EventWriter events() {
    return events;
  }

  /** What was asked of API servers so far. */
  public ApiRequests requests() {
    return api.requests();
  }

  /** How well the cluster is seen now. */
  public ClusterHealth health() {
    Connectivity.State connected = connectivity.state();
    return new ClusterHealth(
        api.server().toString(),
        connected.connected(),
        connected.since(),
        connected.reason(),
        kinds.stream().map(ListWatch::health).toList());
  }

  private void start(String name, Runnable task) {
    threads.add(Thread.ofPlatform().name(name).daemon().start(task));
  }

  private void tell(ClusterListener listener) {
    try {
      while (true) {
        SourceUpdate update = state.await(() -> closed);
        if (update == null) {
          return;
        }
        SourceUpdate before = last;
        boolean news =
            !update.upserted().isEmpty()
                || !update.removed().isEmpty()
                || before == null
                || !update.problems().equals(before.problems())
                || !update.nodes().equals(before.nodes());
        report(update);
        if (news) {
          tell(listener, update);
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private static void tell(ClusterListener listener, SourceUpdate update) {
    try {
      listener.changed(update);
    } catch (RuntimeException e) {
      log.error("a listener failed on a change of the cluster", e);
    }
  }

  /** Says in Events what is new about the problems; the log is for those who get the update. */
  private void report(SourceUpdate update) {
    last = update;
    warnOfOwnAddress(update.upserted());
    if (update.problems().equals(told)) {
      return;
    }
    Set<Problem> known = new HashSet<>(told);
    for (Problem problem : update.problems()) {
      if (problem.severity() == Severity.NOTE || !known.add(problem)) {
        continue;
      }
      ObjectKey service = service(problem.object());
      if (service != null) {
        events.write(
            new KubernetesEvent(
                service,
                true,
                problem.severity() == Severity.ERROR ? "InvalidObject" : "QuestionableObject",
                problem.field().isEmpty()
                    ? problem.reason()
                    : problem.field() + " " + problem.reason(),
                false));
      }
    }
    told = update.problems();
  }

  private static @Nullable ObjectKey service(String object) {
    String prefix = "Service ";
    int slash = object.indexOf('/');
    return object.startsWith(prefix) && slash > 0
        ? new ObjectKey(object.substring(prefix.length(), slash), object.substring(slash + 1))
        : null;
  }

  /** The agent must reach the API server when no Service works, its own first of all. */
  private void warnOfOwnAddress(List<ServiceState> upserted) {
    for (ServiceState service : upserted) {
      if (!service.key().equals(KUBERNETES)) {
        continue;
      }
      URI server = api.server();
      String host = server.getHost().replaceAll("[\\[\\]]", "");
      Optional<IpAddress> address = IpAddress.parse(host);
      boolean own =
          (address.isPresent() && service.service().clusterIps().contains(address.get()))
              || host.equals("kubernetes.default.svc")
              || host.equals("kubernetes.default");
      if (own && !server.equals(complainedAbout)) {
        complainedAbout = server;
        log.warn(
            "the API server is reached at {}, the address of the Service kubernetes, which this"
                + " agent itself provides: without it no agent could start; give addresses of the"
                + " API servers with --api-servers{}",
            server,
            settings.access() instanceof ServiceAccount ? " or in a kubeconfig" : "");
      }
    }
  }

  private void lookAfterCredentials() {
    try {
      while (!closed) {
        TimeUnit.NANOSECONDS.sleep(timing.credentials().toNanos());
        if (api.renewIfStale()) {
          log.info("credentials for the API server changed: connecting with the new ones");
          kinds.forEach(ListWatch::reconnect);
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  /** Ends all threads and connections; waits for the threads, unless one of them calls. */
  @Override
  public void close() {
    List<Thread> running;
    synchronized (this) {
      closed = true;
      running = List.copyOf(threads);
    }
    kinds.forEach(ListWatch::close);
    events.close();
    state.wake();
    running.forEach(Thread::interrupt);
    api.close();
    for (Thread thread : running) {
      if (thread.equals(Thread.currentThread())) {
        continue;
      }
      try {
        thread.join(TimeUnit.SECONDS.toMillis(5));
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }
}
