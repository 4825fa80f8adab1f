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
import java.util.function.IntFunction;
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

    Map<String, byte[]> lists =
        Map.of(
            "/api/v1/services",
            list("ServiceList", SERVICES, TrainingApi::service),
            "/apis/discovery.k8s.io/v1/endpointslices",
            list("EndpointSliceList", SERVICES, TrainingApi::slice),
            "/api/v1/nodes",
            list("NodeList", 10, TrainingApi::node));
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

  private static void answer(HttpExchange exchange, Map<String, byte[]> lists) throws IOException {
    byte[] list = lists.get(exchange.getRequestURI().getPath());
    String query = String.valueOf(exchange.getRequestURI().getQuery());
    boolean watch = query.contains("watch=true");
    exchange
        .getResponseHeaders()
        .set("Content-Type", watch ? "application/json" : "application/vnd.kubernetes.protobuf");
    if (list == null) {
      exchange.sendResponseHeaders(404, -1);
    } else if (watch) {
      exchange.sendResponseHeaders(200, 0); // nothing happens
      exchange.getResponseBody().flush();
      return;
    } else {
      byte[] body = list;
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

  // --- Lists, in protocol buffers as an API server writes them; numbers are those of its types --------

  private static byte[] list(String kind, int count, IntFunction<byte[]> item) {
    byte[] list = message(bytes(1, message(text(2, "1000"))));
    for (int i = 0; i < count; i++) {
      list = message(list, bytes(2, item.apply(i)));
    }
    return message(
        "k8s\0".getBytes(StandardCharsets.US_ASCII),
        bytes(1, message(text(1, "v1"), text(2, kind))),
        bytes(2, list));
  }

  private static byte[] metadata(String name, String label, String value) {
    return message(
        text(1, name),
        text(3, "default"),
        text(5, "00000000-0000-4000-8000-000000000000"),
        text(6, "10"),
        bytes(8, number(1, 1_767_225_600)),
        bytes(11, message(text(1, label), text(2, value))),
        bytes(17, message(text(1, "training"), text(6, "FieldsV1"))));
  }

  private static byte[] service(int i) {
    String address = "10.96." + (i / 250 + 1) + "." + (i % 250 + 1);
    byte[] port =
        message(
            text(1, "http"),
            text(2, "TCP"),
            number(3, 80),
            bytes(4, message(number(1, 0), number(2, 8080))),
            number(5, 30000 + i));
    byte[] spec =
        message(
            bytes(1, port),
            text(3, address),
            text(4, "NodePort"),
            text(7, "None"),
            text(18, address),
            text(19, "IPv4"),
            text(22, "Cluster"));
    return message(
        bytes(1, metadata("training-" + i, "app", "training")),
        bytes(2, spec),
        bytes(3, bytes(1, new byte[0])));
  }

  private static byte[] slice(int i) {
    byte[] slice =
        bytes(1, metadata("training-" + i + "-x", "kubernetes.io/service-name", "training-" + i));
    for (int e = 0; e < ENDPOINTS; e++) {
      byte[] target = message(text(1, "Pod"), text(2, "default"), text(3, "training-" + i));
      byte[] endpoint =
          message(
              text(1, "10." + (128 + e) + "." + i / 250 + "." + (i % 250 + 1)),
              bytes(2, message(number(1, 1), number(2, 1), number(3, 0))),
              bytes(4, target),
              text(6, "node-" + e),
              text(7, "zone-" + e % 3));
      slice = message(slice, bytes(2, endpoint));
    }
    return message(
        slice,
        bytes(3, message(text(1, "http"), text(2, "TCP"), number(3, 8080))),
        text(4, "IPv4"));
  }

  private static byte[] node(int i) {
    byte[] address = message(text(1, "InternalIP"), text(2, "10.127.0." + (i + 1)));
    return message(
        bytes(1, metadata("node-" + i, "topology.kubernetes.io/zone", "zone-" + i % 3)),
        bytes(2, new byte[0]),
        bytes(3, bytes(5, address)));
  }

  private static byte[] message(byte[]... parts) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }

  private static byte[] text(int field, String text) {
    return bytes(field, text.getBytes(StandardCharsets.UTF_8));
  }

  private static byte[] bytes(int field, byte[] value) {
    return message(varint(field << 3 | 2), varint(value.length), value);
  }

  private static byte[] number(int field, long value) {
    return message(varint(field << 3), varint(value));
  }

  private static byte[] varint(long value) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    long rest = value;
    for (; rest > 0x7f; rest >>>= 7) {
      out.write((int) (rest & 0x7f | 0x80));
    }
    out.write((int) rest);
    return out.toByteArray();
  }
}
