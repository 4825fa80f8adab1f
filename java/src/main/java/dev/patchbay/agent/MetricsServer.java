// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.patchbay.agent.HttpEndpoint.Answer;
import dev.patchbay.agent.HttpEndpoint.Request;
import dev.patchbay.agent.metrics.AgentStatistics;
import dev.patchbay.agent.metrics.Metrics;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * What kube-proxy serves at its {@code metricsBindAddress}: {@code /metrics}, {@code
 * /metrics/slis}, {@code /proxyMode}, {@code /configz}, and {@code /healthz}, which says only that
 * somebody answers. Whether the proxy is well is asked at the other address, {@link HealthServer}.
 */
final class MetricsServer implements AutoCloseable {
  /** What stands for {@code iptables}, {@code ipvs} or {@code nftables} here. */
  static final String MODE = "ebpf";

  private static final JsonFactory JSON = new JsonFactory();

  private final AgentStatistics statistics;
  private final Metrics metrics;
  private final Supplier<Map<String, Object>> settings;
  private final HttpEndpoint endpoint;

  /**
   * Begins to answer.
   *
   * @param bind where to listen
   * @param statistics where checks of health are counted
   * @param metrics what scrapes get
   * @param settings the settings in force, without secrets
   */
  MetricsServer(
      HostPort bind,
      AgentStatistics statistics,
      Metrics metrics,
      Supplier<Map<String, Object>> settings)
      throws IOException {
    this.statistics = statistics;
    this.metrics = metrics;
    this.settings = settings;
    endpoint =
        new HttpEndpoint(
            bind,
            Map.of(
                "/metrics", request -> answer(metrics.all(request.accept())),
                "/metrics/slis", this::indicators,
                "/healthz", _ -> ping(),
                "/healthz/ping", _ -> ping(),
                "/proxyMode", _ -> Answer.text(200, MODE),
                "/configz", _ -> Answer.json(200, configz())));
  }

  private static Answer answer(Metrics.Page page) {
    return new Answer(200, page.contentType(), page.text());
  }

  /** DELETE begins anew, as in all components of Kubernetes. */
  private Answer indicators(Request request) {
    if (request.method().equals("DELETE")) {
      statistics.forgetChecks();
      return Answer.text(200, "metrics reset\n");
    }
    return answer(metrics.indicators(request.accept()));
  }

  private Answer ping() {
    statistics.checked("ping", "healthz", true);
    return Answer.text(200, "ok");
  }

  private String configz() {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = JSON.createGenerator(text)) {
      json.writeStartObject();
      json.writeObjectFieldStart("patchbay");
      for (Map.Entry<String, Object> setting : settings.get().entrySet()) {
        json.writeFieldName(setting.getKey());
        write(json, setting.getValue());
      }
      json.writeEndObject();
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return text.append('\n').toString();
  }

  private static void write(JsonGenerator json, Object value) throws IOException {
    switch (value) {
      case Boolean truth -> json.writeBoolean(truth);
      case Integer number -> json.writeNumber(number);
      case List<?> list -> {
        json.writeStartArray();
        for (Object element : list) {
          json.writeString(element.toString());
        }
        json.writeEndArray();
      }
      default -> json.writeString(value.toString());
    }
  }

  /** Where it listens: a number from 1 to 65535. */
  int port() {
    return endpoint.port();
  }

  @Override
  public void close() {
    endpoint.close();
  }
}
