// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.patchbay.agent.metrics.AgentStatistics;
import dev.patchbay.agent.metrics.Metrics;
import dev.patchbay.agent.metrics.SeriesLimits;
import dev.patchbay.agent.metrics.SourceFigures;
import dev.patchbay.testkit.PrometheusText;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** On loopback. */
class MetricsServerTest {
  private final AgentStatistics statistics = new AgentStatistics();
  private final Map<String, Object> settings = new LinkedHashMap<>();
  private final MetricsServer server;
  private final HttpClient client = HttpClient.newHttpClient();

  MetricsServerTest() throws IOException {
    server =
        new MetricsServer(
            HostPort.parse("127.0.0.1:0").orElseThrow(),
            statistics,
            new Metrics(
                statistics, () -> new SourceFigures(true, List.of(), null), SeriesLimits.STANDARD),
            () -> settings);
  }

  @AfterEach
  void close() {
    server.close();
    client.close();
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path))
        .timeout(Duration.ofSeconds(10));
  }

  private HttpResponse<String> get(String path) throws Exception {
    return client.send(request(path).build(), BodyHandlers.ofString());
  }

  @Test
  void servesWhatKubeProxyServes() throws Exception {
    HttpResponse<String> metrics = get("/metrics");
    assertThat(metrics.statusCode()).isEqualTo(200);
    assertThat(metrics.headers().firstValue("Content-Type"))
        .contains("text/plain; version=0.0.4; charset=utf-8");
    assertThat(PrometheusText.parse(metrics.body()).families())
        .containsKey("kubeproxy_sync_proxy_rules_duration_seconds");

    HttpResponse<String> mode = get("/proxyMode");
    assertThat(mode.statusCode()).isEqualTo(200);
    assertThat(mode.body()).isEqualTo("ebpf");
    assertThat(mode.headers().firstValue("Content-Type")).contains("text/plain; charset=utf-8");
    assertThat(mode.headers().firstValue("X-Content-Type-Options")).contains("nosniff");

    HttpResponse<String> health = get("/healthz?verbose");
    assertThat(health.statusCode()).isEqualTo(200);
    assertThat(health.body()).isEqualTo("ok");

    HttpResponse<String> nothing = get("/");
    assertThat(nothing.statusCode()).isEqualTo(404);
    assertThat(nothing.body()).contains("/metrics").contains("/configz");
  }

  @Test
  void checksOfHealthBecomeIndicatorsUntilTheyAreDeleted() throws Exception {
    assertThat(get("/healthz").statusCode()).isEqualTo(200);
    assertThat(PrometheusText.parse(get("/metrics/slis").body()).sum("kubernetes_healthcheck"))
        .isEqualTo(1);

    HttpResponse<String> deleted =
        client.send(request("/metrics/slis").DELETE().build(), BodyHandlers.ofString());

    assertThat(deleted.statusCode()).isEqualTo(200);
    assertThat(get("/metrics/slis").body()).doesNotContain("kubernetes_healthcheck");
  }

  @Test
  void settingsHaveTheirTypes() throws Exception {
    settings.put("node-name", "quote\"and\\");
    settings.put("max-frontends", 5);
    settings.put("once", false);
    settings.put("service-cidr", List.of("10.96.0.0/16", "fd00::/112"));

    HttpResponse<String> answer = get("/configz");

    assertThat(answer.headers().firstValue("Content-Type")).contains("application/json");
    assertThat(answer.body())
        .isEqualTo(
            """
            {"patchbay":{"node-name":"quote\\"and\\\\","max-frontends":5,"once":false,\
            "service-cidr":["10.96.0.0/16","fd00::/112"]}}
            """);
  }

  @Test
  void compressesForThoseWhoCanReadIt() throws Exception {
    HttpResponse<byte[]> answer =
        client.send(
            request("/metrics").header("Accept-Encoding", "gzip").build(),
            BodyHandlers.ofByteArray());

    assertThat(answer.headers().firstValue("Content-Encoding")).contains("gzip");
    try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(answer.body()))) {
      String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      assertThat(PrometheusText.parse(text).families()).isNotEmpty();
      assertThat(answer.body().length).isLessThan(text.length() / 3);
    }
  }

  @Test
  void headHasNoBody() throws Exception {
    HttpResponse<String> answer =
        client.send(
            request("/metrics").method("HEAD", BodyPublishers.noBody()).build(),
            BodyHandlers.ofString());

    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.body()).isEmpty();
  }

  @Test
  void nobodyAnswersOnceItIsClosed() {
    server.close();

    assertThatThrownBy(() -> get("/healthz")).isInstanceOf(ConnectException.class);
  }
}
