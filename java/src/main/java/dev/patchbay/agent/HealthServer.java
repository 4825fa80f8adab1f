// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.patchbay.agent.HttpEndpoint.Answer;
import dev.patchbay.agent.health.Result;
import dev.patchbay.agent.metrics.AgentStatistics;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Answers {@code /healthz} and {@code /livez}, with a body that names each check, besides the
 * fields of kube-proxy.
 *
 * <p>{@code /healthz} answers 200 if every check passes and the node is eligible for load
 * balancers, that is, not being taken away; else 503. {@code /livez} answers 503 only if the thread
 * that writes the maps is stuck: nothing else that a check can find is mended by another start of
 * the agent, and while it starts over, Services do not follow their endpoints. A source that cannot
 * be reached is told in the body only: what it last said goes on being served.
 */
final class HealthServer implements AutoCloseable {
  private static final JsonFactory JSON = new JsonFactory();

  /**
   * How things stand.
   *
   * @param results of all checks
   * @param stuck whether only a new process can help
   * @param lastApplied milliseconds since the epoch of the last successful apply; negative while
   *     there was none
   * @param nodeEligible whether load balancers may choose this node
   * @param sourceTrouble why the source may be ahead of us; empty if all is well
   */
  record Health(
      List<Result> results,
      boolean stuck,
      long lastApplied,
      boolean nodeEligible,
      String sourceTrouble) {
    /** Whether connects are translated as they should be, as far as anybody can tell. */
    boolean serving() {
      return results.stream().noneMatch(Result::red);
    }
  }

  private final AgentStatistics statistics;
  private final HttpEndpoint endpoint;

  /**
   * Begins to answer.
   *
   * @param bind where to listen
   * @param health asked for each request
   * @param statistics where answers are counted
   */
  HealthServer(HostPort bind, Supplier<Health> health, AgentStatistics statistics)
      throws IOException {
    this.statistics = statistics;
    endpoint =
        new HttpEndpoint(
            bind,
            Map.of(
                "/healthz", _ -> healthz(health.get()),
                "/livez", _ -> livez(health.get())));
  }

  private Answer healthz(Health health) {
    int code = health.serving() && health.nodeEligible() ? 200 : 503;
    statistics.healthz(code);
    return Answer.json(code, body(health));
  }

  private Answer livez(Health health) {
    int code = health.stuck() ? 503 : 200;
    statistics.livez(code);
    return Answer.json(code, body(health));
  }

  private static String body(Health health) {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = JSON.createGenerator(text)) {
      Instant now = Instant.now();
      json.writeStartObject();
      // As in kube-proxy: the present while all is well, also if nothing has changed for long.
      json.writeStringField(
          "lastUpdated",
          health.serving()
              ? now.toString()
              : health.lastApplied() >= 0
                  ? Instant.ofEpochMilli(health.lastApplied()).toString()
                  : "");
      json.writeStringField("currentTime", now.toString());
      json.writeBooleanField("nodeEligible", health.nodeEligible());
      if (!health.sourceTrouble().isEmpty()) {
        json.writeStringField("source", health.sourceTrouble());
      }
      json.writeArrayFieldStart("failing");
      for (Result result : health.results()) {
        if (result.red()) {
          json.writeString(result.name());
        }
      }
      json.writeEndArray();
      json.writeArrayFieldStart("checks");
      for (Result result : health.results()) {
        json.writeStartObject();
        json.writeStringField("name", result.name());
        json.writeStringField("status", result.status().label());
        json.writeStringField("since", Instant.ofEpochMilli(result.sinceMillis()).toString());
        if (!result.detail().isEmpty()) {
          json.writeStringField("detail", result.detail());
        }
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return text.toString();
  }

  /** See {@link HttpEndpoint#close}. */
  @Override
  public void close() {
    endpoint.close();
  }
}
