// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab.cluster;

import dev.patchbay.lab.Json;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/**
 * A client of the API server, as one user. Objects are {@link Json} values or the maps and lists
 * that {@link Json#write} takes. Thread-safe.
 */
public final class ApiClient implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String JSON = "application/json";

  /** Requests of one client that are under way at a time; below HTTP/2's number of streams. */
  private static final int AT_A_TIME = 64;

  private final URI server;
  private final @Nullable String token;
  private final HttpClient http;
  private final Semaphore free = new Semaphore(AT_A_TIME);

  private ApiClient(
      URI server, Path authority, @Nullable ClientCertificate certificate, @Nullable String token) {
    this.server = server;
    this.token = token;
    this.http =
        HttpClient.newBuilder()
            .sslContext(context(authority, certificate))
            .proxy(HttpClient.Builder.NO_PROXY)
            .connectTimeout(Duration.ofSeconds(20))
            .build();
  }

  static ApiClient withCertificate(URI server, Path authority, ClientCertificate certificate) {
    return new ApiClient(server, authority, certificate, null);
  }

  static ApiClient withToken(URI server, Path authority, String token) {
    return new ApiClient(server, authority, null, token);
  }

  // --- Requests ---------------------------------------------------------------------------------

  /**
   * One request.
   *
   * @param type content type of the body; of no concern without one
   * @throws UncheckedIOException if the server cannot be reached, or does not answer in a minute
   */
  public ApiResponse send(String method, String path, String type, @Nullable Object body) {
    try {
      return sendAsync(method, path, type, body).join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof IOException cause) {
        throw new UncheckedIOException(cause);
      }
      throw e;
    }
  }

  /** One request; waits only while too many others are under way. */
  public CompletableFuture<ApiResponse> sendAsync(
      String method, String path, String type, @Nullable Object body) {
    HttpRequest.Builder request =
        request(path)
            .timeout(PATIENCE)
            .method(
                method,
                body == null
                    ? BodyPublishers.noBody()
                    : BodyPublishers.ofString(Json.write(body), StandardCharsets.UTF_8));
    if (body != null) {
      request.header("Content-Type", type);
    }
    free.acquireUninterruptibly();
    return http.sendAsync(request.build(), BodyHandlers.ofString(StandardCharsets.UTF_8))
        .whenComplete((answer, failure) -> free.release())
        .thenApply(
            answer -> new ApiResponse(method + " " + path, answer.statusCode(), answer.body()));
  }

  private HttpRequest.Builder request(String path) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(server.resolve(path)).header("Accept", JSON);
    if (token != null) {
      request.header("Authorization", "Bearer " + token);
    }
    return request;
  }

  // --- Objects ----------------------------------------------------------------------------------

  /** What is at a path. */
  public Json get(String path) {
    return send("GET", path, JSON, null).orFail().json();
  }

  /** What is at a path, if anything is. */
  public Optional<Json> find(String path) {
    ApiResponse response = send("GET", path, JSON, null);
    return response.status() == 404 ? Optional.empty() : Optional.of(response.orFail().json());
  }

  /** The objects of a collection. */
  public List<Json> list(String path) {
    return get(path).find("items").map(Json::elements).orElse(List.of());
  }

  /** Creates an object and gives it as the server made it. */
  public Json create(Object object) {
    return post(ApiPath.collection(json(object)), object);
  }

  /** Posts to a path. */
  public Json post(String path, Object body) {
    return send("POST", path, JSON, body).orFail().json();
  }

  /** Replaces an object. */
  public Json replace(Object object) {
    return put(ApiPath.object(json(object)), object);
  }

  /** Replaces what is at a path, such as the status of an object. */
  public Json put(String path, Object object) {
    return send("PUT", path, JSON, object).orFail().json();
  }

  /** Creates an object or changes what is there, as {@code kubectl apply --server-side} does. */
  public Json apply(Object object) {
    String path = ApiPath.object(json(object)) + "?fieldManager=lab&force=true";
    return send("PATCH", path, "application/apply-patch+yaml", object).orFail().json();
  }

  /** Changes what is at a path by a JSON merge patch. */
  public Json merge(String path, Map<String, ?> patch) {
    return send("PATCH", path, "application/merge-patch+json", patch).orFail().json();
  }

  /** Deletes what is at a path; it may take its grace period to go. */
  public void delete(String path) {
    send("DELETE", path, JSON, null).orFail();
  }

  /**
   * Creates many objects, many at a time.
   *
   * @throws AssertionError if one is not created, with the answer
   */
  public void createAll(Collection<?> objects) {
    List<CompletableFuture<ApiResponse>> requests =
        objects.stream()
            .map(object -> sendAsync("POST", ApiPath.collection(json(object)), JSON, object))
            .toList();
    requests.forEach(request -> request.join().orFail());
  }

  private static Json json(Object object) {
    return object instanceof Json json ? json : Json.parse(Json.write(object));
  }

  // --- Watches ----------------------------------------------------------------------------------

  /**
   * Watches a collection until the server or an interrupt ends it.
   *
   * @param path with a query that has {@code resourceVersion}
   * @param event called with each event, as {@code {"type": ..., "object": ...}}
   * @throws IOException if the connection fails, or the answer is not 200
   */
  public void watch(String path, Consumer<Json> event) throws IOException, InterruptedException {
    String watching = path + (path.contains("?") ? "&" : "?") + "watch=true";
    HttpResponse<InputStream> answer =
        http.send(request(watching).build(), BodyHandlers.ofInputStream());
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(answer.body(), StandardCharsets.UTF_8))) {
      if (answer.statusCode() != 200) {
        throw new IOException("watch " + path + ": " + answer.statusCode() + lines.readLine());
      }
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        event.accept(Json.parse(line));
      }
    }
  }

  @Override
  public void close() {
    http.shutdownNow();
  }

  // --- TLS --------------------------------------------------------------------------------------

  private static SSLContext context(Path authority, @Nullable ClientCertificate certificate) {
    try {
      KeyStore trusted = empty();
      trusted.setCertificateEntry("authority", certificate(authority));
      TrustManagerFactory trust =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      trust.init(trusted);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(keys(certificate), trust.getTrustManagers(), null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static KeyManager @Nullable [] keys(@Nullable ClientCertificate certificate)
      throws GeneralSecurityException, IOException {
    if (certificate == null) {
      return null;
    }
    String pem = Files.readString(certificate.key());
    byte[] der = Base64.getMimeDecoder().decode(pem.replaceAll("-----[A-Z ]+-----", ""));
    KeyStore store = empty();
    store.setKeyEntry(
        "client",
        KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(der)),
        new char[0],
        new Certificate[] {certificate(certificate.certificate())});
    KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    keys.init(store, new char[0]);
    return keys.getKeyManagers();
  }

  private static KeyStore empty() throws GeneralSecurityException, IOException {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    return store;
  }

  private static Certificate certificate(Path file) throws GeneralSecurityException, IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return CertificateFactory.getInstance("X.509").generateCertificate(in);
    }
  }
}
