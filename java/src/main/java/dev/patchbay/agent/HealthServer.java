// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.concurrent.Executors;
import java.util.function.LongSupplier;

/**
 * Answers {@code /healthz} and {@code /livez}: 200 once the dataplane is in place and the last
 * change set was applied, 503 otherwise, with the time of the last apply in the body as kube-proxy
 * has it. Requests are served on a thread of its own.
 */
final class HealthServer implements AutoCloseable {
  private final HttpServer server;

  /**
   * @param bind where to listen
   * @param lastApplied milliseconds since the epoch of the last successful apply; negative while
   *     the dataplane is not in place or an apply is failing
   */
  HealthServer(HostPort bind, LongSupplier lastApplied) throws IOException {
    server = HttpServer.create(bind.toSocketAddress(), 16);
    server.setExecutor(
        Executors.newSingleThreadExecutor(
            Thread.ofPlatform().name("patchbay-health").daemon().factory()));
    server.createContext("/", exchange -> answer(exchange, lastApplied.getAsLong()));
    server.start();
  }

  private static void answer(HttpExchange exchange, long lastApplied) throws IOException {
    String path = exchange.getRequestURI().getPath();
    boolean known = path.equals("/healthz") || path.equals("/livez");
    boolean healthy = lastApplied >= 0;
    int code = !known ? 404 : healthy ? 200 : 503;
    String body =
        known
            ? "{\"lastUpdated\":\"%s\",\"currentTime\":\"%s\"}"
                .formatted(healthy ? Instant.ofEpochMilli(lastApplied) : "", Instant.now())
            : "no such page; there are /healthz and /livez\n";
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange
        .getResponseHeaders()
        .set("Content-Type", known ? "application/json" : "text/plain; charset=utf-8");
    exchange.getResponseHeaders().set("X-Content-Type-Options", "nosniff");
    exchange.sendResponseHeaders(code, bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
