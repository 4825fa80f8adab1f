// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.patchbay.agent.HttpEndpoint.Answer;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How an endpoint ends. */
@Timeout(30)
class HttpEndpointCloseTest {
  private static final Answer WELL = Answer.text(200, "well");

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  @Test
  void aRequestThatCameIsAnsweredAndNoOtherIsTaken() throws Exception {
    int port = freePort();
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch answer = new CountDownLatch(1);
    HttpEndpoint server =
        new HttpEndpoint(
            HostPort.parse("127.0.0.1:" + port).orElseThrow(),
            Map.of(
                "/healthz",
                _ -> {
                  asked.countDown();
                  await(answer);
                  return WELL;
                }));
    try (HttpClient client = HttpClient.newHttpClient()) {
      CompletableFuture<HttpResponse<String>> response =
          client.sendAsync(
              HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/healthz")).build(),
              HttpResponse.BodyHandlers.ofString());
      await(asked);
      CompletableFuture<Void> closing = CompletableFuture.runAsync(server::close);
      assertRefused(port);
      assertThat(closing).isNotDone();
      answer.countDown();
      assertThat(response.get(5, TimeUnit.SECONDS).statusCode()).isEqualTo(200);
      closing.get(5, TimeUnit.SECONDS);
    }
  }

  @Test
  void whoNeverEndsARequestDelaysTheEndByOneSecond() throws Exception {
    int port = freePort();
    HttpEndpoint server =
        new HttpEndpoint(
            HostPort.parse("127.0.0.1:" + port).orElseThrow(), Map.of("/healthz", _ -> WELL));
    try (Socket slow = new Socket(InetAddress.getLoopbackAddress(), port)) {
      slow.getOutputStream().write("GET /healthz HTTP/1.1\r\n".getBytes(StandardCharsets.US_ASCII));
      long start = System.nanoTime();
      server.close();
      server.close();
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofMillis(1900));
    }
    assertRefused(port);
  }

  private static void await(CountDownLatch latch) {
    AtomicBoolean done = new AtomicBoolean();
    try {
      done.set(latch.await(10, TimeUnit.SECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    assertThat(done).isTrue();
  }

  /** Soon: the listener closes on another thread. */
  private static void assertRefused(int port) throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(1);
    while (System.nanoTime() < end) {
      try (Socket taken = new Socket(InetAddress.getLoopbackAddress(), port)) {
        assertThat(taken.isConnected()).isTrue();
        Thread.sleep(5);
      } catch (ConnectException refused) {
        return;
      }
    }
    assertThatExceptionOfType(ConnectException.class)
        .isThrownBy(() -> new Socket(InetAddress.getLoopbackAddress(), port).close());
  }
}
