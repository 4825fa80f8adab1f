// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.concurrent.Executors;
import java.util.function.Supplier;

/**
 * Answers {@code /healthz} and {@code /livez}: 200 once the dataplane is in place and the last
 * change set was applied, 503 otherwise, with the time of the last apply in the body as kube-proxy
 * has it. {@code /livez} answers 200 also while the agent waits for its source: to restart it would
 * not help. {@code /healthz} also answers 503 while the node is not eligible for load balancers,
 * that is, while it is being taken away. A source that cannot be reached is told in the body only:
 * what it last said goes on being served.
 */
final class HealthServer implements AutoCloseable {
  private static final JsonFactory JSON = new JsonFactory();

  /**
   * How things stand.
   *
   * @param inPlace whether the dataplane is in place
   * @param lastApplied milliseconds since the epoch of the last successful apply; negative while
   *     there was none, or an apply is failing
   * @param nodeEligible whether load balancers may choose this node
   * @param sourceTrouble why the source may be ahead of us; empty if all is well
   */
  record Health(boolean inPlace, long lastApplied, boolean nodeEligible, String sourceTrouble) {
    boolean serving() {
      return inPlace && lastApplied >= 0;
    }

    /** Whether the process does what it can: it starts, or serves. */
    boolean alive() {
      return !inPlace || lastApplied >= 0;
    }
  }

  private final HttpServer server;
  private boolean closed;

  /**
   * Begins to answer.
   *
   * @param bind where to listen
   * @param health asked for each request
   */
  HealthServer(HostPort bind, Supplier<Health> health) throws IOException {
    server = HttpServer.create(bind.toSocketAddress(), 16);
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.createContext("/", exchange -> answer(exchange, health.get()));
    server.start();
  }

  private static void answer(HttpExchange exchange, Health health) throws IOException {
    int code =
        switch (exchange.getRequestURI().getPath()) {
          case "/healthz" -> health.serving() && health.nodeEligible() ? 200 : 503;
          case "/livez" -> health.alive() ? 200 : 503;
          default -> 404;
        };
    String body = code == 404 ? "no such page; there are /healthz and /livez\n" : body(health);
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange
        .getResponseHeaders()
        .set("Content-Type", code == 404 ? "text/plain; charset=utf-8" : "application/json");
    exchange.getResponseHeaders().set("X-Content-Type-Options", "nosniff");
    exchange.sendResponseHeaders(code, bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  private static String body(Health health) {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = JSON.createGenerator(text)) {
      json.writeStartObject();
      json.writeStringField(
          "lastUpdated",
          health.lastApplied() >= 0 ? Instant.ofEpochMilli(health.lastApplied()).toString() : "");
      json.writeStringField("currentTime", Instant.now().toString());
      json.writeBooleanField("nodeEligible", health.nodeEligible());
      if (!health.sourceTrouble().isEmpty()) {
        json.writeStringField("source", health.sourceTrouble());
      }
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return text.toString();
  }

  /** Refuses new requests and waits for the answers to those that came, at most a second. */
  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      server.stop(1);
    }
  }
}
