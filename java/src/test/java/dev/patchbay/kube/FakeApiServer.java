// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsParameters;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import org.jspecify.annotations.Nullable;

/**
 * As much of an API server as lists and watches need, with its bad days: it can compact its
 * history, refuse, fall silent, cut connections, go away and come back at the same address.
 */
final class FakeApiServer implements AutoCloseable {
  static final String SERVICES = "services";
  static final String SLICES = "endpointslices";
  static final String NODES = "nodes";

  /** How a compacted version is refused. */
  enum Gone {
    AS_STATUS,
    AS_EVENT
  }

  /**
   * A request that was received.
   *
   * @param authorization the header; empty if absent
   * @param client the name in the client's certificate; empty without one
   */
  record Request(
      String method, String path, String query, String authorization, String client, String body) {
    boolean isWatchOf(String kind) {
      return path.endsWith("/" + kind) && query.contains("watch=true");
    }

    boolean isListOf(String kind) {
      return method.equals("GET") && path.endsWith("/" + kind) && !query.contains("watch=true");
    }

    String parameter(String name) {
      for (String pair : query.split("&", -1)) {
        if (pair.startsWith(name + "=")) {
          return URLDecoder.decode(pair.substring(name.length() + 1), StandardCharsets.UTF_8);
        }
      }
      return "";
    }
  }

  private record Event(long version, String kind, String type, String object) {}

  private final @Nullable SSLContext tls;
  private final Object monitor = new Object();
  private final Map<String, Map<String, String>> objects = new HashMap<>();
  private final List<Event> history = new ArrayList<>();
  final List<Request> requests = new CopyOnWriteArrayList<>();
  private long version = 100;
  private long compactedBelow;
  private Gone gone = Gone.AS_STATUS;
  private long watchGeneration;
  private boolean silent;
  private boolean hanging;
  private int pageSize;
  private Predicate<Request> refuse = _ -> false;
  private int refusal = 403;
  private volatile int cutListsAfter = -1;
  private int port;
  private @Nullable HttpServer server;
  private @Nullable ExecutorService threads;

  FakeApiServer() {
    this(null);
  }

  /**
   * @param tls null for plain HTTP
   */
  FakeApiServer(@Nullable SSLContext tls) {
    this.tls = tls;
    start();
  }

  URI uri() {
    return URI.create((tls == null ? "http" : "https") + "://127.0.0.1:" + port);
  }

  /** Comes (back), at the same address. */
  void start() {
    try {
      InetSocketAddress at = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
      HttpServer created;
      if (tls == null) {
        created = HttpServer.create(at, 64);
      } else {
        HttpsServer https = HttpsServer.create(at, 64);
        https.setHttpsConfigurator(
            new HttpsConfigurator(tls) {
              @Override
              public void configure(HttpsParameters parameters) {
                SSLParameters wanted = getSSLContext().getDefaultSSLParameters();
                wanted.setNeedClientAuth(true);
                parameters.setSSLParameters(wanted);
              }
            });
        created = https;
      }
      ExecutorService pool = Executors.newCachedThreadPool(Thread.ofPlatform().daemon().factory());
      created.setExecutor(pool);
      created.createContext("/", this::answer);
      created.start();
      port = created.getAddress().getPort();
      server = created;
      threads = pool;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Goes away: connections are cut, new ones refused. What it knows stays. */
  void stop() {
    cutWatches();
    if (server != null) {
      server.stop(0);
      server = null;
    }
    if (threads != null) {
      threads.shutdownNow();
      threads = null;
    }
  }

  @Override
  public void close() {
    stop();
  }

  /**
   * Creates or changes an object.
   *
   * @param json with {@code @meta@} where the metadata goes
   */
  void put(String kind, String namespace, String name, String labels, String json) {
    synchronized (monitor) {
      version++;
      String key = namespace + "/" + name;
      String object =
          json.replace(
              "@meta@",
              "\"metadata\":{\"name\":\"%s\",\"namespace\":\"%s\",\"uid\":\"uid-of-%s\",\"resourceVersion\":\"%d\",\"creationTimestamp\":\"2026-01-02T03:04:05Z\",\"labels\":{%s}}"
                  .formatted(name, namespace, name, version, labels));
      boolean known = of(kind).put(key, object) != null;
      history.add(new Event(version, kind, known ? "MODIFIED" : "ADDED", object));
      monitor.notifyAll();
    }
  }

  void delete(String kind, String namespace, String name) {
    synchronized (monitor) {
      version++;
      String object = of(kind).remove(namespace + "/" + name);
      if (object == null) {
        throw new IllegalArgumentException("no " + kind + " " + namespace + "/" + name);
      }
      object =
          object.replaceFirst(
              "\"resourceVersion\":\"[0-9]+\"", "\"resourceVersion\":\"" + version + "\"");
      history.add(new Event(version, kind, "DELETED", object));
      monitor.notifyAll();
    }
  }

  private Map<String, String> of(String kind) {
    return objects.computeIfAbsent(kind, _ -> new TreeMap<>());
  }

  void service(String name, String clusterIp) {
    put(
        SERVICES,
        "default",
        name,
        "",
        "{@meta@,\"spec\":{\"clusterIP\":\"%s\",\"clusterIPs\":[\"%s\"],\"ipFamilies\":[\"IPv4\"],\"type\":\"ClusterIP\",\"ports\":[{\"name\":\"http\",\"protocol\":\"TCP\",\"port\":80,\"targetPort\":8080}]},\"status\":{\"loadBalancer\":{}}}"
            .formatted(clusterIp, clusterIp));
  }

  void slice(String service, String name, String... addresses) {
    sliceCausedAt("", service, name, addresses);
  }

  /** A slice whose change was caused at a time, as the API writes it; empty: nobody says when. */
  void sliceCausedAt(String when, String service, String name, String... addresses) {
    String annotations =
        when.isEmpty()
            ? ""
            : "},\"annotations\":{\"example.com/other\":\"x\",\"endpoints.kubernetes.io/last-change-trigger-time\":\""
                + when
                + "\"";
    StringBuilder endpoints = new StringBuilder();
    for (String address : addresses) {
      endpoints
          .append(endpoints.isEmpty() ? "" : ",")
          .append("{\"addresses\":[\"")
          .append(address)
          .append("\"],\"conditions\":{\"ready\":true}}");
    }
    put(
        SLICES,
        "default",
        name,
        "\"kubernetes.io/service-name\":\"" + service + "\"" + annotations,
        "{@meta@,\"addressType\":\"IPv4\",\"endpoints\":["
            + endpoints
            + "],\"ports\":[{\"name\":\"http\",\"protocol\":\"TCP\",\"port\":8080}]}");
  }

  void node(String name, String zone, String address) {
    put(
        NODES,
        "",
        name,
        "\"topology.kubernetes.io/zone\":\"" + zone + "\"",
        "{@meta@,\"spec\":{},\"status\":{\"addresses\":[{\"type\":\"InternalIP\",\"address\":\"%s\"},{\"type\":\"Hostname\",\"address\":\"x\"}]}}"
            .formatted(address));
  }

  /** Tells all watches of a kind where they are. */
  void bookmark(String kind) {
    synchronized (monitor) {
      version++;
      history.add(
          new Event(
              version,
              kind,
              "BOOKMARK",
              "{\"kind\":\"Any\",\"metadata\":{\"resourceVersion\":\"" + version + "\"}}"));
      monitor.notifyAll();
    }
  }

  /** Forgets all history up to now. */
  void compact(Gone how) {
    synchronized (monitor) {
      gone = how;
      compactedBelow = version;
    }
  }

  /** Ends all watches, in good order. */
  void cutWatches() {
    synchronized (monitor) {
      watchGeneration++;
      monitor.notifyAll();
    }
  }

  /** Says nothing in watches from now on, or speaks again. */
  void silent(boolean now) {
    synchronized (monitor) {
      silent = now;
      monitor.notifyAll();
    }
  }

  /** Takes connections and says nothing at all from now on, or goes on. */
  void hang(boolean now) {
    synchronized (monitor) {
      hanging = now;
      silent = now;
      monitor.notifyAll();
    }
  }

  /** Sends lists in pages, whether asked to or not. */
  void pageSize(int size) {
    pageSize = size;
  }

  /** Breaks the connection after so many bytes of each list; negative: does not. */
  void cutListsAfter(int bytes) {
    cutListsAfter = bytes;
  }

  void refuse(int code, Predicate<Request> which) {
    synchronized (monitor) {
      refusal = code;
      refuse = which;
    }
  }

  long count(Predicate<Request> which) {
    return requests.stream().filter(which).count();
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      URI uri = exchange.getRequestURI();
      String authorization = exchange.getRequestHeaders().getFirst("Authorization");
      String client = "";
      if (exchange instanceof com.sun.net.httpserver.HttpsExchange https) {
        client = https.getSSLSession().getPeerPrincipal().getName();
      }
      Request request =
          new Request(
              exchange.getRequestMethod(),
              uri.getPath(),
              uri.getRawQuery() == null ? "" : uri.getRawQuery(),
              authorization == null ? "" : authorization,
              client,
              new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
      requests.add(request);
      boolean refused;
      int code;
      synchronized (monitor) {
        while (hanging) {
          monitor.wait(TimeUnit.SECONDS.toMillis(60));
        }
        refused = refuse.test(request);
        code = refusal;
      }
      if (refused) {
        status(exchange, code, "not today");
      } else if (request.method.equals("POST")) {
        send(exchange, 201, "{}");
      } else if (request.query.contains("watch=true")) {
        watch(exchange, request);
      } else {
        list(exchange, request);
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private static void send(HttpExchange exchange, int code, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    exchange.sendResponseHeaders(code, bytes.length);
    exchange.getResponseBody().write(bytes);
  }

  private static String statusText(int code, String message) {
    return "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\",\"message\":\"%s\",\"reason\":\"Any\",\"details\":{\"causes\":[]},\"code\":%d}"
        .formatted(message, code);
  }

  private static void status(HttpExchange exchange, int code, String message) throws IOException {
    send(exchange, code, statusText(code, message));
  }

  private static String kind(Request request) {
    return request.path.substring(request.path.lastIndexOf('/') + 1);
  }

  private void list(HttpExchange exchange, Request request) throws IOException {
    List<String> all;
    long at;
    synchronized (monitor) {
      all = new ArrayList<>(of(kind(request)).values());
      at = version;
    }
    String next = "";
    if (pageSize > 0) {
      String token = request.parameter("continue");
      int from = token.isEmpty() ? 0 : Integer.parseInt(token);
      int to = Math.min(all.size(), from + pageSize);
      next = to < all.size() ? ",\"continue\":\"" + to + "\"" : "";
      all = all.subList(from, to);
    }
    String text =
        "{\"kind\":\"List\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\""
            + at
            + "\""
            + next
            + "},\"items\":["
            + String.join(",", all)
            + "]}\n";
    int cut = cutListsAfter;
    if (cut < 0) {
      send(exchange, 200, text);
      return;
    }
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(200, bytes.length);
    exchange.getResponseBody().write(bytes, 0, Math.min(cut, bytes.length));
    exchange.getResponseBody().flush();
  }

  private void watch(HttpExchange exchange, Request request)
      throws IOException, InterruptedException {
    long from = Long.parseLong(request.parameter("resourceVersion"));
    String kind = kind(request);
    boolean expired;
    long generation;
    Gone how;
    synchronized (monitor) {
      expired = from < compactedBelow;
      generation = watchGeneration;
      how = gone;
    }
    if (expired && how == Gone.AS_STATUS) {
      status(exchange, 410, "too old resource version");
      return;
    }
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    exchange.sendResponseHeaders(200, 0);
    OutputStream out = exchange.getResponseBody();
    out.flush();
    if (expired) {
      event(out, "ERROR", statusText(410, "too old resource version"));
      return;
    }
    int next = 0;
    while (true) {
      List<Event> news = new ArrayList<>();
      synchronized (monitor) {
        while (generation == watchGeneration && (silent || next == history.size())) {
          monitor.wait(TimeUnit.SECONDS.toMillis(60));
        }
        if (generation != watchGeneration) {
          return;
        }
        for (; next < history.size(); next++) {
          Event event = history.get(next);
          if (event.version > from && event.kind.equals(kind)) {
            news.add(event);
          }
        }
      }
      for (Event event : news) {
        event(out, event.type, event.object);
      }
    }
  }

  private static void event(OutputStream out, String type, String object) throws IOException {
    String text = "{\"type\":\"" + type + "\",\"object\":" + object + "}\n";
    out.write(text.getBytes(StandardCharsets.UTF_8));
    out.flush();
  }
}
