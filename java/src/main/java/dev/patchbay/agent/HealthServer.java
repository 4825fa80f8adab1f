// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.patchbay.agent.HttpEndpoint.Answer;
import dev.patchbay.agent.metrics.AgentStatistics;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Answers {@code /healthz} and {@code /livez}: 200 once the dataplane is in place and the last
 * change set was applied, 503 otherwise, with the time of the last apply in the body as kube-proxy
 * has it. {@code /livez} answers 200 also while the agent waits for its source: to restart it would
 * not help. {@code /healthz} also answers 503 while the node is not eligible for load balancers,
 * that is, while it is being taken away. A source that cannot be reached is told in the body only:
 * what it last said goes on being served.
 */
final class HealthServer implements AutoCloseable {
  private static final JsonFactory JSON = new JsonFactory();

  /**
   * How things stand.
   *
   * @param inPlace whether the dataplane is in place
   * @param lastApplied milliseconds since the epoch of the last successful apply; negative while
   *     there was none, or an apply is failing
   * @param nodeEligible whether load balancers may choose this node
   * @param sourceTrouble why the source may be ahead of us; empty if all is well
   */
  record Health(boolean inPlace, long lastApplied, boolean nodeEligible, String sourceTrouble) {
    boolean serving() {
      return inPlace && lastApplied >= 0;
    }

    /** Whether the process does what it can: it starts, or serves. */
    boolean alive() {
      return !inPlace || lastApplied >= 0;
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
    int code = health.alive() ? 200 : 503;
    statistics.livez(code);
    return Answer.json(code, body(health));
  }

  private static String body(Health health) {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = JSON.createGenerator(text)) {
      json.writeStartObject();
      json.writeStringField(
          "lastUpdated",
          health.lastApplied() >= 0 ? Instant.ofEpochMilli(health.lastApplied()).toString() : "");
      json.writeStringField("currentTime", Instant.now().toString());
      json.writeBooleanField("nodeEligible", health.nodeEligible());
      if (!health.sourceTrouble().isEmpty()) {
        json.writeStringField("source", health.sourceTrouble());
      }
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return text.toString();
  }

  @Override
  public void close() {
    endpoint.close();
  }
}
