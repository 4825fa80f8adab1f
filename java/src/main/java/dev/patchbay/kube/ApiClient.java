// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import io.fabric8.kubernetes.client.http.AsyncBody;
import io.fabric8.kubernetes.client.http.HttpClient;
import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.http.HttpResponse;
import io.fabric8.kubernetes.client.jdkhttp.JdkHttpClientFactory;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Requests to the API, at the server that answers. Each request that waits has a connection of its
 * own (HTTP/1.1), so that one that hangs holds up nothing else.
 *
 * <p>Thread-safe.
 */
final class ApiClient implements AutoCloseable {
  static final JsonFactory JSON =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder().maxStringLength(Integer.MAX_VALUE).build())
          .build();

  private static final Logger log = LoggerFactory.getLogger(ApiClient.class);

  /** An error message longer than this is cut. */
  private static final int MAX_ERROR_BYTES = 64 * 1024;

  /** How often credentials that were refused are made anew. */
  private static final long REFUSAL_NANOS = TimeUnit.SECONDS.toNanos(10);

  private final ClusterSettings settings;
  private final Timing timing;
  private final ApiRequests requests = new ApiRequests();
  private final AtomicReference<Connected> current;
  private final AtomicReference<String> lastComplaint = new AtomicReference<>("");
  private final AtomicLong lastRenewal = new AtomicLong(System.nanoTime() - REFUSAL_NANOS);
  private volatile boolean closed;

  /**
   * What requests are made with.
   *
   * @param servers where to, not empty
   * @param index which of them is in use
   */
  private record Connected(Credentials credentials, HttpClient http, List<URI> servers, int index) {
    URI server() {
      return servers.get(index);
    }

    Connected next() {
      return new Connected(credentials, http, servers, (index + 1) % servers.size());
    }
  }

  /**
   * Reads the credentials; connects to nothing yet.
   *
   * @throws IOException if the credentials cannot be used; the message names the file
   */
  ApiClient(ClusterSettings settings, Timing timing) throws IOException {
    this.settings = settings;
    this.timing = timing;
    this.current = new AtomicReference<>(connected(Credentials.read(settings.access())));
  }

  private Connected connected(Credentials credentials) throws IOException {
    credentials.config().setConnectionTimeout(Math.toIntExact(timing.connect().toMillis()));
    List<URI> servers = settings.apiServers();
    URI server = credentials.server();
    if (servers.isEmpty() && server != null) {
      servers = List.of(server);
    }
    try {
      HttpClient http = new JdkHttpClientFactory().newBuilder(credentials.config()).build();
      return new Connected(credentials, http, servers, 0);
    } catch (RuntimeException e) {
      throw new IOException("cannot use the credentials: " + Failures.describe(e), e);
    }
  }

  /** A server may be reached through something that puts a path before its own. */
  private static URI at(URI server, String path) {
    String base = server.toString();
    return URI.create((base.endsWith("/") ? base.substring(0, base.length() - 1) : base) + path);
  }

  /** What was asked for so far. */
  ApiRequests requests() {
    return requests;
  }

  /** The server that requests go to now. */
  URI server() {
    return current.get().server();
  }

  /** Requests to {@code server} fail: others go to the next one, unless they do already. */
  void failed(URI server) {
    Connected now = current.get();
    if (now.server().equals(server) && now.servers().size() > 1) {
      current.compareAndSet(now, now.next());
    }
  }

  /**
   * Looks at the files with credentials. If one differs and all of them can be used, requests are
   * made with the new ones from now on; streams that are open stay as they are.
   *
   * @return whether that happened
   */
  boolean renewIfStale() {
    Connected now = current.get();
    return !closed && now.credentials().isStale() && renew();
  }

  /**
   * The server did not accept the credentials: makes new ones, since a plug-in may have others by
   * now. Does nothing if that was done a moment ago.
   */
  void refused() {
    long now = System.nanoTime();
    long last = lastRenewal.get();
    if (now - last >= REFUSAL_NANOS && lastRenewal.compareAndSet(last, now) && !closed) {
      renew();
    }
  }

  /**
   * Replaces the client. The old one is not closed, since that would leave its streams without an
   * end; it goes when the last of them has ended.
   */
  private boolean renew() {
    try {
      current.set(connected(Credentials.read(settings.access())));
    } catch (IOException e) {
      String complaint = Failures.describe(e);
      if (!complaint.equals(lastComplaint.getAndSet(complaint))) {
        log.atWarn()
            .addKeyValue("reason", complaint)
            .log("credentials for the API server cannot be used");
      }
      return false;
    }
    lastComplaint.set("");
    return true;
  }

  /**
   * Asks for something.
   *
   * @param server one that {@link #server()} told
   * @param path absolute, with the query
   * @param idle how long the body may be silent
   * @param compressed whether the body may come compressed: {@link BodyStream#decoded()}.
   *     Decryption without the optimising compiler is slow, so for large answers it pays
   * @return the body, to be closed
   * @throws ApiException if the server answers with an error
   * @throws IOException if it does not answer
   */
  BodyStream get(URI server, String path, Duration idle, boolean large) throws IOException {
    HttpClient http = current.get().http();
    Duration limit = large ? timing.answer() : timing.watchAnswer();
    HttpRequest request =
        http.newHttpRequestBuilder()
            .uri(at(server, path))
            .header(
                "Accept",
                large ? ProtoObject.MEDIA_TYPE + ", application/json" : "application/json")
            .header("Accept-Encoding", large ? "gzip" : "identity")
            .timeout(limit.toMillis(), TimeUnit.MILLISECONDS)
            .build();
    return send(new Asked("GET", server), http, request, limit, idle);
  }

  /**
   * Creates an object.
   *
   * @throws ApiException if the server answers with an error
   * @throws IOException if it does not answer
   */
  void post(String path, String json) throws IOException {
    Connected now = current.get();
    HttpRequest request =
        now.http()
            .newHttpRequestBuilder()
            .uri(at(now.server(), path))
            .header("Accept", "application/json")
            .timeout(timing.watchAnswer().toMillis(), TimeUnit.MILLISECONDS)
            .post("application/json", json)
            .build();
    Asked asked = new Asked("POST", now.server());
    long start = System.nanoTime();
    try (BodyStream body =
        send(asked, now.http(), request, timing.watchAnswer(), timing.listIdle())) {
      body.skip(Long.MAX_VALUE);
    }
    requests.took(asked.method(), asked.server(), System.nanoTime() - start);
  }

  /**
   * What is asked for.
   *
   * @param method of HTTP
   * @param server whom
   */
  private record Asked(String method, URI server) {}

  private BodyStream send(
      Asked asked, HttpClient http, HttpRequest request, Duration limit, Duration idle)
      throws IOException {
    BodyStream body = new BodyStream(idle);
    String code = ApiRequests.NO_ANSWER;
    HttpResponse<AsyncBody> response;
    try {
      response = answer(http, request, limit, body);
      code = Integer.toString(response.code());
    } finally {
      requests.answered(asked.method(), asked.server(), code);
    }
    String type = response.header("Content-Type");
    body.begin(
        response.body(),
        "gzip".equals(response.header("Content-Encoding")),
        type != null && type.startsWith(ProtoObject.MEDIA_TYPE));
    if (response.code() >= 200 && response.code() < 300) {
      return body;
    }
    try (body) {
      throw error(response, body);
    }
  }

  /** Waits for the head of the answer. */
  private static HttpResponse<AsyncBody> answer(
      HttpClient http, HttpRequest request, Duration limit, BodyStream body) throws IOException {
    CompletableFuture<HttpResponse<AsyncBody>> answer;
    try {
      answer = http.consumeBytes(request, body);
    } catch (RuntimeException e) {
      // A client that was closed in between, or a token that cannot be read.
      throw new IOException(Failures.describe(e), e);
    }
    try {
      // A little later than the client's own limit, which covers the head of the answer.
      return answer.get(limit.toMillis() + 1000, TimeUnit.MILLISECONDS);
    } catch (InterruptedException _) {
      answer.cancel(true);
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    } catch (TimeoutException e) {
      answer.cancel(true);
      throw new IOException("no answer within " + limit.toSeconds() + " s", e);
    } catch (ExecutionException e) {
      throw new IOException(Failures.describe(e), e);
    }
  }

  private static ApiException error(HttpResponse<AsyncBody> response, BodyStream body) {
    Duration retryAfter = retryAfter(response.header("Retry-After"));
    byte[] text = new byte[0];
    try {
      if (body.isProto()) {
        return ApiStatus.read(body.decoded(), response.code(), retryAfter);
      }
      text = body.decoded().readNBytes(MAX_ERROR_BYTES);
      try (JsonParser parser = JSON.createParser(text)) {
        parser.nextToken();
        return ApiStatus.read(parser, response.code(), retryAfter);
      }
    } catch (JsonProcessingException _) {
      String line = new String(text, StandardCharsets.UTF_8).strip();
      int end = line.indexOf('\n');
      return new ApiException(
          response.code(), end < 0 ? line : line.substring(0, end), "", retryAfter);
    } catch (IOException e) {
      return new ApiException(response.code(), Failures.describe(e), "", retryAfter);
    }
  }

  private static Duration retryAfter(@Nullable String header) {
    try {
      return header == null
          ? Duration.ZERO
          : Duration.ofSeconds(Math.clamp(Long.parseLong(header.strip()), 0, 30));
    } catch (NumberFormatException _) {
      return Duration.ZERO; // a date, which the API server does not send
    }
  }

  @Override
  public void close() {
    closed = true;
    current.get().http().close();
  }
}
