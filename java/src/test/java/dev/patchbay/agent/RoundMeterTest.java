// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import static dev.patchbay.testkit.ServiceBuilder.on;
import static dev.patchbay.testkit.ServiceBuilder.ready;
import static dev.patchbay.testkit.ServiceBuilder.service;
import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.agent.metrics.AgentStatistics;
import dev.patchbay.agent.metrics.Metrics;
import dev.patchbay.agent.metrics.SeriesLimits;
import dev.patchbay.agent.metrics.SourceFigures;
import dev.patchbay.model.ClusterSnapshot;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.ServiceState;
import dev.patchbay.model.SourceChanges;
import dev.patchbay.model.TrafficPolicy;
import dev.patchbay.reconcile.ApplyReport;
import dev.patchbay.testkit.PrometheusText;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RoundMeterTest {
  private static final NodeFacts HERE = NodeFacts.named("here");

  private final AgentStatistics statistics = new AgentStatistics();
  private final RoundMeter meter = new RoundMeter(statistics, () -> ClusterSnapshot.EMPTY);

  private static ApplyReport report() {
    return new ApplyReport(1, 2, 3, 4, 5, 6, 7, 0, false, 1000, List.of());
  }

  private void round(boolean full) {
    meter.begin(SourceChanges.NONE);
    meter.compile(full, 3, () -> List.of("a", "b"), List::size);
    ApplyReport report = meter.apply(RoundMeterTest::report);
    meter.end(report, List.of(), List.of(), List.of());
  }

  private PrometheusText scrape() {
    return PrometheusText.parse(
        new Metrics(
                statistics, () -> new SourceFigures(true, List.of(), null), SeriesLimits.STANDARD)
            .all("")
            .text());
  }

  @Test
  void roundsAreFullOrPartial() {
    round(true);
    round(false);
    round(false);

    PrometheusText text = scrape();
    Map<String, String> ipv4 = Map.of("ip_family", "IPv4");
    assertThat(text.sum("kubeproxy_sync_full_proxy_rules_duration_seconds_count", ipv4))
        .isEqualTo(1);
    assertThat(text.sum("kubeproxy_sync_partial_proxy_rules_duration_seconds_count", ipv4))
        .isEqualTo(2);
    assertThat(text.sum("patchbay_compile_duration_seconds_count")).isEqualTo(3);
  }

  @Test
  void portsWithoutALocalEndpointAreCountedAsLongAsTheyAreThere() {
    ServiceState local =
        service("kubia")
            .clusterIps("10.96.0.1")
            .internalPolicy(TrafficPolicy.LOCAL)
            .port(80)
            .slice(8080, on("there", ready("10.1.0.1")))
            .build();
    Map<String, String> internal = Map.of("traffic_policy", "internal", "ip_family", "IPv4");
    meter.service(local.key(), local, HERE);
    meter.service(local.key(), local, HERE);
    round(false);
    assertThat(scrape().sum("kubeproxy_sync_proxy_rules_no_local_endpoints_total", internal))
        .isEqualTo(1);

    meter.service(local.key(), local, NodeFacts.named("there"));
    round(false);
    assertThat(scrape().sum("kubeproxy_sync_proxy_rules_no_local_endpoints_total", internal))
        .isZero();

    meter.service(local.key(), local, HERE);
    meter.service(local.key(), null, HERE);
    round(false);
    assertThat(scrape().sum("kubeproxy_sync_proxy_rules_no_local_endpoints_total", internal))
        .isZero();
  }

  @Test
  void theFlightRecorderSeesWhatWasDone(@TempDir Path directory) throws Exception {
    Path file = directory.resolve("rounds.jfr");
    try (Recording recording = new Recording()) {
      recording.enable("dev.patchbay.Compile").withoutThreshold();
      recording.enable("dev.patchbay.Apply").withoutThreshold();
      recording.start();
      round(true);
      recording.stop();
      recording.dump(file);
    }
    round(false);

    List<RecordedEvent> events =
        RecordingFile.readAllEvents(file).stream()
            .filter(event -> event.getEventType().getName().startsWith("dev.patchbay."))
            .toList();
    assertThat(events)
        .extracting(event -> event.getEventType().getName())
        .containsExactlyInAnyOrder("dev.patchbay.Compile", "dev.patchbay.Apply");
    for (RecordedEvent event : events) {
      assertThat(event.getDuration()).isPositive();
      if (event.getEventType().getName().equals("dev.patchbay.Compile")) {
        assertThat(event.getBoolean("full")).isTrue();
        assertThat(event.getInt("services")).isEqualTo(3);
        assertThat(event.getInt("rows")).isEqualTo(2);
      } else {
        assertThat(event.getInt("backends")).isEqualTo(2);
        assertThat(event.getInt("frontendsUpserted")).isEqualTo(4);
        assertThat(event.getInt("failures")).isZero();
      }
    }
  }
}
