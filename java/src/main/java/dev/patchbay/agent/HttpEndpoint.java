// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A few pages by HTTP, at one address. Each request is answered on a virtual thread of its own;
 * what keeps a client from holding one for ever are the limits that the launcher sets.
 */
final class HttpEndpoint implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(HttpEndpoint.class);

  /** A body shorter than this is not worth compression. */
  private static final int WORTH_COMPRESSION = 4096;

  /** What is answered. */
  record Answer(int code, String contentType, String body) {
    static Answer text(int code, String text) {
      return new Answer(code, "text/plain; charset=utf-8", text);
    }

    static Answer json(int code, String text) {
      return new Answer(code, "application/json", text);
    }
  }

  /**
   * What is asked.
   *
   * @param method of HTTP, in upper case
   * @param accept the header of that name; empty without one
   */
  record Request(String method, String accept) {}

  /** Makes the answer to a request; any number of threads at a time. */
  @FunctionalInterface
  interface Page {
    Answer answer(Request request);
  }

  private final HttpServer server;
  private final Map<String, Page> pages;
  private boolean closed;

  /**
   * Begins to answer.
   *
   * @param bind where to listen
   * @param pages by path
   */
  HttpEndpoint(HostPort bind, Map<String, Page> pages) throws IOException {
    this.pages = new TreeMap<>(pages);
    server = HttpServer.create(bind.toSocketAddress(), 16);
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.createContext("/", this::handle);
    server.start();
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      String path = exchange.getRequestURI().getPath();
      Page page = pages.get(path);
      Answer answer;
      try {
        answer =
            page == null
                ? Answer.text(
                    404, "no such page; there are " + String.join(", ", pages.keySet()) + "\n")
                : page.answer(new Request(exchange.getRequestMethod(), header(exchange, "Accept")));
      } catch (RuntimeException e) {
        log.atWarn().addKeyValue("page", path).setCause(e).log("a request cannot be answered");
        answer = Answer.text(500, "cannot answer: " + e.getMessage() + "\n");
      }
      send(exchange, answer);
    }
  }

  private static void send(HttpExchange exchange, Answer answer) throws IOException {
    byte[] body = answer.body().getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", answer.contentType());
    exchange.getResponseHeaders().set("X-Content-Type-Options", "nosniff");
    if (body.length >= WORTH_COMPRESSION && header(exchange, "Accept-Encoding").contains("gzip")) {
      exchange.getResponseHeaders().set("Content-Encoding", "gzip");
      body = compressed(body);
    }
    if (exchange.getRequestMethod().equals("HEAD")) {
      exchange.sendResponseHeaders(answer.code(), -1);
      return;
    }
    exchange.sendResponseHeaders(answer.code(), body.length == 0 ? -1 : body.length);
    exchange.getResponseBody().write(body);
  }

  private static byte[] compressed(byte[] body) throws IOException {
    ByteArrayOutputStream small = new ByteArrayOutputStream(body.length / 8);
    try (GZIPOutputStream out = new GZIPOutputStream(small, 8192)) {
      out.write(body);
    }
    return small.toByteArray();
  }

  private static String header(HttpExchange exchange, String name) {
    @Nullable String value = exchange.getRequestHeaders().getFirst(name);
    return value == null ? "" : value;
  }

  /** Where it listens: a number from 1 to 65535. */
  int port() {
    return server.getAddress().getPort();
  }

  /**
   * Refuses new requests and waits for the answers to those that came, at most a second.
   * Idempotent; any thread.
   */
  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      server.stop(1);
    }
  }
}
