// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.patchbay.model.ObjectKey;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers load balancers that ask whether this node has endpoints of a Service: the {@code
 * healthCheckNodePort} of Services of type LoadBalancer with {@code externalTrafficPolicy: Local}.
 *
 * <p>As in kube-proxy: any path; 200 if there is at least one ready local endpoint and the proxy is
 * healthy, else 503; the number in the body and in {@code X-Load-Balancing-Endpoint-Weight}.
 * Listens on all addresses of the node.
 *
 * <p>{@link #set} may be called by any thread and returns at once: sockets are opened, closed and
 * tried again on a thread of its own.
 */
final class HealthCheckNodePorts implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(HealthCheckNodePorts.class);
  private static final long RETRY_SECONDS = 5;

  /** A port that is wanted. Fields but {@code local}: on the worker's thread. */
  private static final class Listener {
    final ObjectKey service;
    final int port;
    volatile int local;
    @Nullable HttpServer server;
    boolean complained;

    Listener(ObjectKey service, int port) {
      this.service = service;
      this.port = port;
    }
  }

  private final BooleanSupplier healthy;
  private final Notices notices;

  /** Services that were last said to want a port; those who call {@link #set}. */
  private final Set<ObjectKey> wanted = ConcurrentHashMap.newKeySet();

  /** On the worker's thread. */
  private final Map<ObjectKey, Listener> listeners = new HashMap<>();

  private final ScheduledExecutorService worker =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("patchbay-health-check-ports").daemon().factory());
  private final ExecutorService answers = Executors.newVirtualThreadPerTaskExecutor();

  /**
   * Listens nowhere yet.
   *
   * @param healthy whether this proxy serves
   * @param notices hears of ports that cannot be listened on
   */
  HealthCheckNodePorts(BooleanSupplier healthy, Notices notices) {
    this.healthy = healthy;
    this.notices = notices;
    @SuppressWarnings("unused") // runs until the worker ends; what it does cannot fail
    Future<?> retries =
        worker.scheduleWithFixedDelay(this::retry, RETRY_SECONDS, RETRY_SECONDS, TimeUnit.SECONDS);
  }

  /**
   * Says what a Service wants.
   *
   * @param port where to listen; 0: nowhere
   * @param local its ready endpoints on this node
   */
  void set(ObjectKey service, int port, int local) {
    if (port == 0 && !wanted.remove(service)) {
      return; // most Services never want one, and to wake the worker costs a system call
    }
    if (port != 0) {
      wanted.add(service);
    }
    worker.execute(() -> apply(service, port, local));
  }

  private void apply(ObjectKey service, int port, int local) {
    Listener listener = listeners.get(service);
    if (listener != null && listener.port != port) {
      listeners.remove(service);
      stop(listener);
      listener = null;
    }
    if (port == 0) {
      return;
    }
    if (listener == null) {
      listener = new Listener(service, port);
      listeners.put(service, listener);
    }
    listener.local = local;
    start(listener);
  }

  private void retry() {
    listeners.values().forEach(this::start);
  }

  private void start(Listener listener) {
    if (listener.server != null) {
      return;
    }
    try {
      HttpServer server = HttpServer.create(new InetSocketAddress(listener.port), 16);
      server.setExecutor(answers);
      server.createContext("/", exchange -> answer(exchange, listener));
      server.start();
      listener.server = server;
      log.atInfo()
          .addKeyValue("service", listener.service)
          .addKeyValue("port", listener.port)
          .log("answering health checks of load balancers");
    } catch (IOException e) {
      if (!listener.complained) {
        listener.complained = true;
        String message =
            "cannot listen on health check node port " + listener.port + ": " + e.getMessage();
        log.atWarn().addKeyValue("service", listener.service).log("{}", message);
        notices.warnOfNode(listener.service, "FailedToStartServiceHealthcheck", message);
      }
    }
  }

  private static void stop(Listener listener) {
    if (listener.server != null) {
      listener.server.stop(0);
      listener.server = null;
    }
  }

  private void answer(HttpExchange exchange, Listener listener) throws IOException {
    int local = listener.local;
    boolean proxy = healthy.getAsBoolean();
    byte[] body =
        """
        {
        	"service": {
        		"namespace": "%s",
        		"name": "%s"
        	},
        	"localEndpoints": %d,
        	"serviceProxyHealthy": %b
        }"""
            .formatted(listener.service.namespace(), listener.service.name(), local, proxy)
            .getBytes(StandardCharsets.UTF_8);
    var headers = exchange.getResponseHeaders();
    headers.set("Content-Type", "application/json");
    headers.set("X-Content-Type-Options", "nosniff");
    headers.set("X-Load-Balancing-Endpoint-Weight", Integer.toString(local));
    try (exchange) {
      boolean head = exchange.getRequestMethod().equals("HEAD");
      exchange.sendResponseHeaders(local > 0 && proxy ? 200 : 503, head ? -1 : body.length);
      if (!head) {
        exchange.getResponseBody().write(body);
      }
    }
  }

  /** Refuses new requests and waits for the answers to those that came, at most a second. */
  @Override
  public void close() {
    worker.execute(
        () -> {
          drain();
          worker.shutdown();
        });
    try {
      boolean ignored = worker.awaitTermination(1, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    answers.shutdown();
  }

  /** All at once, since each may take a second. */
  private void drain() {
    try (ExecutorService each = Executors.newVirtualThreadPerTaskExecutor()) {
      for (Listener listener : listeners.values()) {
        HttpServer server = listener.server;
        if (server != null) {
          each.execute(() -> server.stop(1));
        }
      }
    }
    listeners.clear();
  }
}
