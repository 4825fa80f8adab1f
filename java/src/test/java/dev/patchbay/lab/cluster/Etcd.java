// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab.cluster;

import dev.patchbay.lab.Daemon;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Json;
import dev.patchbay.lab.Pod;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** The store of a cluster: etcd on the loopback of the control plane, and its HTTP gateway. */
final class Etcd implements AutoCloseable {
  private static final int PORT = 2379;
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** Below what etcd takes in one transaction. */
  private static final int TRANSACTION = 100;

  private final Pod place;
  private final Path data;
  private final Tunnel tunnel;
  private final HttpClient http =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .proxy(HttpClient.Builder.NO_PROXY)
          .build();
  private Optional<Daemon> process = Optional.empty();

  Etcd(Pod place, Path data) {
    this.place = place;
    this.data = data;
    tunnel = new Tunnel(place.namespace(), PORT);
  }

  /** Where it is, for the API server. */
  static String url() {
    return "http://127.0.0.1:" + PORT;
  }

  /** Starts it and waits until it answers; what it had stored is there again. */
  void start() {
    Daemon started =
        place.start(
            "env",
            Cluster.LESS_COLLECTION,
            "etcd",
            "--data-dir=" + data,
            // The machine does not lose power while a test runs.
            "--unsafe-no-fsync",
            "--quota-backend-bytes=4294967296",
            "--snapshot-count=1000000",
            "--listen-client-urls=" + url(),
            "--advertise-client-urls=" + url(),
            "--listen-peer-urls=http://127.0.0.1:2380",
            "--logger=zap",
            "--log-level=warn");
    process = Optional.of(started);
    Eventually.within(
        PATIENCE,
        () -> {
          if (!started.isAlive()) {
            throw new IllegalStateException("etcd has ended:\n" + started.err());
          }
          try {
            revision();
          } catch (UncheckedIOException e) {
            throw new AssertionError("etcd does not answer:\n" + started.err(), e);
          }
        });
  }

  Optional<Daemon> process() {
    return process;
  }

  /** The present revision. */
  long revision() {
    return Long.parseLong(
        call("range", Map.of("key", base64("/"))).get("header").get("revision").text());
  }

  /** Forgets all revisions but the present one, and gives that. */
  long compact() {
    long revision = revision();
    call("compaction", Map.of("revision", revision, "physical", true));
    return revision;
  }

  /**
   * Writes Services and EndpointSlices as the API server does, with the address allocations of the
   * Services; each Service has to have its {@code clusterIP}.
   */
  void put(Collection<?> objects) {
    String now = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
    List<Map<String, ?>> puts = new ArrayList<>();
    for (Object object : objects) {
      Json json = Json.parse(Json.write(object));
      String kind = json.get("kind").text();
      switch (kind) {
        case "Service" -> {
          Json service = withAddresses(inNamespace(json));
          for (Json address : service.get("spec").get("clusterIPs").elements()) {
            puts.add(
                put("ipaddresses/" + address.text(), allocation(service, address.text()), now));
          }
          puts.add(put("services/specs/" + name(json), service, now));
        }
        case "EndpointSlice" ->
            puts.add(put("endpointslices/" + name(json), inNamespace(json), now));
        default -> throw new AssertionError("not written past the API server: " + kind);
      }
    }
    for (int i = 0; i < puts.size(); i += TRANSACTION) {
      call("txn", Map.of("success", puts.subList(i, Math.min(puts.size(), i + TRANSACTION))));
    }
  }

  private static Map<String, ?> put(String key, Json object, String now) {
    Json whole =
        withMetadata(object, Map.of("uid", UUID.randomUUID().toString(), "creationTimestamp", now));
    return Map.of(
        "requestPut", Map.of("key", base64("/registry/" + key), "value", base64(whole.toString())));
  }

  private static Json inNamespace(Json object) {
    return withMetadata(object, Map.of("namespace", namespace(object)));
  }

  /** With the fields that the API server makes out of {@code clusterIP}, unless they are there. */
  private static Json withAddresses(Json service) {
    Json address = service.get("spec").get("clusterIP");
    return service.get("spec").find("clusterIPs").isPresent()
        ? service
        : with(
            service,
            "spec",
            Map.of(
                "clusterIPs",
                List.of(address),
                "ipFamilies",
                List.of(address.text().contains(":") ? "IPv6" : "IPv4"),
                "ipFamilyPolicy",
                "SingleStack"));
  }

  private static Json withMetadata(Json object, Map<String, ?> more) {
    return with(object, "metadata", more);
  }

  private static Json with(Json object, String member, Map<String, ?> more) {
    Map<String, Object> inner = new LinkedHashMap<>(object.get(member).members());
    inner.putAll(more);
    Map<String, Object> members = new LinkedHashMap<>(object.members());
    members.put(member, inner);
    return Json.parse(Json.write(members));
  }

  /** What the API server keeps for each address that a Service has, and makes if it is missing. */
  private static Json allocation(Json service, String address) {
    return Json.parse(
        Json.write(
            Map.of(
                "apiVersion",
                "networking.k8s.io/v1",
                "kind",
                "IPAddress",
                "metadata",
                Map.of(
                    "name",
                    address,
                    "labels",
                    Map.of(
                        "ipaddress.kubernetes.io/ip-family",
                        address.contains(":") ? "IPv6" : "IPv4",
                        "ipaddress.kubernetes.io/managed-by",
                        "ipallocator.k8s.io")),
                "spec",
                Map.of(
                    "parentRef",
                    Map.of(
                        "group",
                        "",
                        "resource",
                        "services",
                        "namespace",
                        namespace(service),
                        "name",
                        service.get("metadata").get("name"))))));
  }

  private static String name(Json object) {
    return namespace(object) + "/" + object.get("metadata").get("name").text();
  }

  private static String namespace(Json object) {
    return object.get("metadata").find("namespace").map(Json::text).orElse("default");
  }

  /**
   * What etcd tells about changes of a key, a JSON object in a line; the first says that it does.
   */
  InputStream watch(String key) {
    try {
      HttpRequest request =
          HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + tunnel.port() + "/v3/watch"))
              .POST(
                  BodyPublishers.ofString(
                      Json.write(Map.of("create_request", Map.of("key", base64(key))))))
              .build();
      return http.send(request, BodyHandlers.ofInputStream()).body();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  private Json call(String method, Map<String, ?> body) {
    try {
      HttpRequest request =
          HttpRequest.newBuilder(
                  URI.create("http://127.0.0.1:" + tunnel.port() + "/v3/kv/" + method))
              .timeout(PATIENCE)
              .POST(BodyPublishers.ofString(Json.write(body)))
              .build();
      HttpResponse<String> answer = http.send(request, BodyHandlers.ofString());
      return new ApiResponse("etcd " + method, answer.statusCode(), answer.body()).orFail().json();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  private static String base64(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  @Override
  public void close() {
    process.filter(Daemon::isAlive).ifPresent(Daemon::kill);
    http.shutdownNow();
    tunnel.close();
  }
}
