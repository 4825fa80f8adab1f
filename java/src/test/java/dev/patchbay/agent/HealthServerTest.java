// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.agent.health.Result;
import dev.patchbay.agent.health.Status;
import dev.patchbay.agent.metrics.AgentStatistics;
import dev.patchbay.lab.Json;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** On loopback. The fields that kube-proxy has are those of its TestHealthzServer. */
class HealthServerTest {
  private static final Result GOOD = new Result("rows", true, Status.OK, 1000, "");

  private final HttpClient client = HttpClient.newHttpClient();

  @AfterEach
  void close() {
    client.close();
  }

  private static HealthServer.Health health(boolean eligible, boolean stuck, Result... results) {
    return new HealthServer.Health(List.of(results), stuck, 1000, eligible, "");
  }

  private HttpResponse<String> get(String path, HealthServer.Health health)
      throws IOException, InterruptedException {
    int port;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = socket.getLocalPort();
    }
    String address = "127.0.0.1:" + port;
    try (HealthServer _ =
        new HealthServer(
            HostPort.parse(address).orElseThrow(), () -> health, new AgentStatistics())) {
      return client.send(
          HttpRequest.newBuilder(URI.create("http://" + address + path)).build(),
          HttpResponse.BodyHandlers.ofString());
    }
  }

  @Test
  void allIsWell() throws Exception {
    HttpResponse<String> answer = get("/healthz", health(true, false, GOOD));
    assertThat(answer.statusCode()).isEqualTo(200);
    Json body = Json.parse(answer.body());
    assertThat(body.get("lastUpdated").text()).isEqualTo(body.get("currentTime").text());
    assertThat(answer.body()).contains("\"nodeEligible\":true", "\"failing\":[]");
  }

  @Test
  void aCheckThatFailsIsNamed() throws Exception {
    for (Status red : new Status[] {Status.FAILING, Status.MENDED}) {
      Result bad = new Result("programs", true, red, 2000, "detached");
      HttpResponse<String> answer = get("/healthz", health(true, false, GOOD, bad));
      assertThat(answer.statusCode()).isEqualTo(503);
      assertThat(answer.body())
          .contains(
              "\"lastUpdated\":\"1970-01-01T00:00:01Z\"",
              "\"failing\":[\"programs\"]",
              "{\"name\":\"programs\",\"status\":\""
                  + red.label()
                  + "\",\"since\":\"1970-01-01T00:00:02Z\",\"detail\":\"detached\"}");
      assertThat(get("/livez", health(true, false, GOOD, bad)).statusCode()).isEqualTo(200);
    }
  }

  @Test
  void whatDoesNotGateOrIsNotMadeIsOnlyTold() throws Exception {
    HttpResponse<String> answer =
        get(
            "/healthz",
            health(
                true,
                false,
                new Result("source", false, Status.FAILING, 0, "away"),
                new Result("canary-ipv6", true, Status.NOT_RUN, 0, "no IPv6")));
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.body()).contains("away", "no IPv6", "\"failing\":[]");
  }

  @Test
  void aNodeThatIsTakenAwayIsAliveAndNotHealthy() throws Exception {
    assertThat(get("/healthz", health(false, false, GOOD)).statusCode()).isEqualTo(503);
    assertThat(get("/livez", health(false, false, GOOD)).statusCode()).isEqualTo(200);
  }

  @Test
  void anAgentThatIsStuckIsNotAlive() throws Exception {
    assertThat(get("/livez", health(true, true, GOOD)).statusCode()).isEqualTo(503);
  }

  @Test
  void thereIsNothingElse() throws Exception {
    assertThat(get("/else", health(true, false, GOOD)).statusCode()).isEqualTo(404);
  }
}
