// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.Eventually;
import dev.patchbay.model.ObjectKey;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** On loopback. The expectations are those of kube-proxy's TestServer. */
class HealthCheckNodePortsTest {
  private static final ObjectKey KUBIA = new ObjectKey("demo", "kubia");

  private final AtomicBoolean healthy = new AtomicBoolean(true);
  private final List<String> warned = new CopyOnWriteArrayList<>();
  private final HealthCheckNodePorts ports =
      new HealthCheckNodePorts(
          healthy::get,
          new Notices() {
            @Override
            public void warn(ObjectKey service, String reason, String message) {
              throw new AssertionError("this is about one node");
            }

            @Override
            public void warnOfNode(ObjectKey service, String reason, String message) {
              warned.add(service + " " + reason);
            }
          });
  private final HttpClient client = HttpClient.newHttpClient();

  @AfterEach
  void close() {
    ports.close();
    client.close();
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  /** The answer; null if nobody listens. */
  private @Nullable HttpResponse<String> get(int port) {
    try {
      return client.send(
          HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/any/path"))
              .timeout(Duration.ofSeconds(5))
              .build(),
          HttpResponse.BodyHandlers.ofString());
    } catch (IOException _) {
      return null;
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private HttpResponse<String> await(int port, int code) {
    AtomicReference<HttpResponse<String>> answer = new AtomicReference<>();
    Eventually.soon(
        () -> {
          HttpResponse<String> response = get(port);
          if (response == null) {
            throw new AssertionError("nobody listens on " + port);
          }
          assertThat(response.statusCode()).isEqualTo(code);
          answer.set(response);
        });
    return answer.get();
  }

  @Test
  void tellsTheNumberOfLocalEndpoints() throws Exception {
    int port = freePort();
    ports.set(KUBIA, port, 2);
    HttpResponse<String> response = await(port, 200);
    assertThat(response.headers().firstValue("X-Load-Balancing-Endpoint-Weight")).hasValue("2");
    assertThat(response.headers().firstValue("Content-Type")).hasValue("application/json");
    assertThat(response.headers().firstValue("X-Content-Type-Options")).hasValue("nosniff");
    assertThat(response.body())
        .isEqualTo(
            """
            {
            	"service": {
            		"namespace": "demo",
            		"name": "kubia"
            	},
            	"localEndpoints": 2,
            	"serviceProxyHealthy": true
            }""");

    ports.set(KUBIA, port, 0);
    response = await(port, 503);
    assertThat(response.headers().firstValue("X-Load-Balancing-Endpoint-Weight")).hasValue("0");

    ports.set(KUBIA, port, 1);
    await(port, 200);
    healthy.set(false);
    response = await(port, 503);
    assertThat(response.body()).contains("\"serviceProxyHealthy\": false");
  }

  @Test
  void followsThePort() throws Exception {
    int first = freePort();
    ports.set(KUBIA, first, 1);
    await(first, 200);
    int second = freePort();
    ports.set(KUBIA, second, 1);
    await(second, 200);
    awaitClosed(first);
    ports.set(KUBIA, 0, 0);
    awaitClosed(second);
  }

  private void awaitClosed(int port) {
    Eventually.soon(() -> assertThat(get(port)).isNull());
  }

  @Test
  void aPortThatIsTakenIsToldOnceAndTriedAgain() throws Exception {
    int port;
    try (ServerSocket taken = new ServerSocket(0)) {
      port = taken.getLocalPort();
      ports.set(KUBIA, port, 1);
      ports.set(KUBIA, port, 2);
      Eventually.soon(() -> assertThat(warned).isNotEmpty());
    }
    await(port, 200);
    assertThat(warned).containsExactly("demo/kubia FailedToStartServiceHealthcheck");
  }
}
