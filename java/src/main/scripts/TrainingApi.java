// SPDX-License-Identifier: Apache-2.0

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.KeyStore;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/**
 * As much of an API server as a start from a cluster needs, for train-aot: {@code java
 * TrainingApi.java DIRECTORY}. On loopback, by TLS, with a certificate made for the purpose; writes
 * DIRECTORY/kubeconfig when it answers, and ends after a few minutes if nobody ends it.
 */
final class TrainingApi {
  private static final int SERVICES = 500;
  private static final int ENDPOINTS = 10;
  private static final Duration LIFE = Duration.ofMinutes(3);
  private static final String PASSWORD = "training";

  public static void main(String[] args) throws Exception {
    Path directory = Path.of(args[0]);
    KeyStore keys = keys(directory.resolve("keys.p12"));
    KeyManagerFactory managers =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    managers.init(keys, PASSWORD.toCharArray());
    SSLContext tls = SSLContext.getInstance("TLS");
    tls.init(managers.getKeyManagers(), null, null);

    Map<String, String> lists =
        Map.of(
            "/api/v1/services", list(SERVICES, TrainingApi::service),
            "/apis/discovery.k8s.io/v1/endpointslices", list(SERVICES, TrainingApi::slice),
            "/api/v1/nodes", list(10, TrainingApi::node));
    HttpsServer server =
        HttpsServer.create(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0), 16);
    server.setHttpsConfigurator(new HttpsConfigurator(tls));
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.createContext("/", exchange -> answer(exchange, lists));
    server.start();

    Path written = directory.resolve("kubeconfig.new");
    Files.writeString(
        written,
        """
        apiVersion: v1
        kind: Config
        clusters:
        - name: training
          cluster: {server: "https://127.0.0.1:%d", certificate-authority-data: %s}
        users:
        - {name: training, user: {token: training}}
        contexts:
        - {name: training, context: {cluster: training, user: training}}
        current-context: training
        """
            .formatted(server.getAddress().getPort(), authority(keys)));
    Files.move(written, directory.resolve("kubeconfig"), StandardCopyOption.ATOMIC_MOVE);
    Thread.sleep(LIFE);
    System.exit(0);
  }

  private static KeyStore keys(Path file) throws Exception {
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair", "-alias", "training", "-dname", "CN=training",
                "-ext", "SAN=IP:127.0.0.1", "-keyalg", "EC", "-groupname", "secp256r1",
                "-validity", "2", "-storetype", "PKCS12", "-storepass", PASSWORD,
                "-keystore", file.toString())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.INHERIT)
            .start();
    if (keytool.waitFor() != 0) {
      throw new IOException("keytool failed");
    }
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(file)) {
      keys.load(in, PASSWORD.toCharArray());
    }
    return keys;
  }

  private static String authority(KeyStore keys) throws Exception {
    byte[] der = keys.getCertificate("training").getEncoded();
    String pem =
        "-----BEGIN CERTIFICATE-----\n"
            + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der)
            + "\n-----END CERTIFICATE-----\n";
    return Base64.getEncoder().encodeToString(pem.getBytes(StandardCharsets.US_ASCII));
  }

  private static void answer(HttpExchange exchange, Map<String, String> lists) throws IOException {
    String list = lists.get(exchange.getRequestURI().getPath());
    String query = String.valueOf(exchange.getRequestURI().getQuery());
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    if (list == null) {
      exchange.sendResponseHeaders(404, -1);
    } else if (query.contains("watch=true")) {
      exchange.sendResponseHeaders(200, 0); // nothing happens
      exchange.getResponseBody().flush();
      return;
    } else {
      byte[] body = list.getBytes(StandardCharsets.UTF_8);
      String accepted = exchange.getRequestHeaders().getFirst("Accept-Encoding");
      if (accepted != null && accepted.contains("gzip")) {
        exchange.getResponseHeaders().set("Content-Encoding", "gzip");
        body = gzip(body);
      }
      exchange.sendResponseHeaders(200, body.length);
      exchange.getResponseBody().write(body);
    }
    exchange.close();
  }

  private static byte[] gzip(byte[] body) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (OutputStream out = new GZIPOutputStream(bytes)) {
      out.write(body);
    }
    return bytes.toByteArray();
  }

  private static String list(int count, java.util.function.IntFunction<String> item) {
    return IntStream.range(0, count)
        .mapToObj(item)
        .collect(
            Collectors.joining(
                ",", "{\"metadata\":{\"resourceVersion\":\"1000\"},\"items\":[", "]}"));
  }

  private static String metadata(String name, String labels) {
    return "\"metadata\":{\"name\":\"%s\",\"namespace\":\"default\",\"uid\":\"%s\",\"resourceVersion\":\"10\",\"creationTimestamp\":\"2026-01-01T00:00:00Z\",\"labels\":{%s},\"managedFields\":[{\"manager\":\"training\",\"fieldsV1\":{\"f:spec\":{}}}]}"
        .formatted(name, name, labels);
  }

  private static String service(int i) {
    return "{%s,\"spec\":{\"clusterIP\":\"10.96.%d.%d\",\"clusterIPs\":[\"10.96.%d.%d\"],\"ipFamilies\":[\"IPv4\"],\"type\":\"NodePort\",\"sessionAffinity\":\"None\",\"internalTrafficPolicy\":\"Cluster\",\"ports\":[{\"name\":\"http\",\"protocol\":\"TCP\",\"port\":80,\"targetPort\":8080,\"nodePort\":%d}]},\"status\":{\"loadBalancer\":{}}}"
        .formatted(
            metadata("training-" + i, "\"app\":\"training\""),
            i / 250 + 1, i % 250 + 1, i / 250 + 1, i % 250 + 1, 30000 + i);
  }

  private static String slice(int i) {
    String endpoints =
        IntStream.range(0, ENDPOINTS)
            .mapToObj(
                e ->
                    "{\"addresses\":[\"10.%d.%d.%d\"],\"conditions\":{\"ready\":true,\"serving\":true,\"terminating\":false},\"nodeName\":\"node-%d\",\"zone\":\"zone-%d\",\"targetRef\":{\"kind\":\"Pod\",\"namespace\":\"default\",\"name\":\"training-%d-%d\",\"uid\":\"x\"}}"
                        .formatted(128 + e, i / 250, i % 250 + 1, e, e % 3, i, e))
            .collect(Collectors.joining(","));
    return "{%s,\"addressType\":\"IPv4\",\"ports\":[{\"name\":\"http\",\"protocol\":\"TCP\",\"port\":8080}],\"endpoints\":[%s]}"
        .formatted(
            metadata("training-" + i + "-x", "\"kubernetes.io/service-name\":\"training-" + i + "\""),
            endpoints);
  }

  private static String node(int i) {
    return "{%s,\"spec\":{},\"status\":{\"addresses\":[{\"type\":\"InternalIP\",\"address\":\"10.127.0.%d\"},{\"type\":\"Hostname\",\"address\":\"node-%d\"}]}}"
        .formatted(metadata("node-" + i, "\"topology.kubernetes.io/zone\":\"zone-" + i % 3 + "\""), i + 1, i);
  }
}
