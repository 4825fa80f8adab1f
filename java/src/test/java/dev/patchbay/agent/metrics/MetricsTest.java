// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.compile.NoLocalEndpoints;
import dev.patchbay.compile.Rejection;
import dev.patchbay.lab.Patchbay;
import dev.patchbay.model.ClusterSnapshot;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Problem;
import dev.patchbay.model.Protocol;
import dev.patchbay.model.ServicePortKey;
import dev.patchbay.model.SourceChanges;
import dev.patchbay.reconcile.ApplyReport;
import dev.patchbay.reconcile.Refusal;
import dev.patchbay.reconcile.StoreException;
import dev.patchbay.testkit.PromTool;
import dev.patchbay.testkit.PrometheusText;
import dev.patchbay.testkit.PrometheusText.Family;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class MetricsTest {
  private static final ServicePortKey WHO =
      new ServicePortKey(new ObjectKey("demo", "kubia"), "http", Protocol.TCP, IpFamily.IPV4);

  private final AgentStatistics statistics = new AgentStatistics();
  private final Metrics metrics =
      new Metrics(
          statistics, () -> new SourceFigures(true, List.of(), null), SeriesLimits.STANDARD);

  private static ApplyReport report(boolean succeeded, long nanos) {
    return new ApplyReport(
        1,
        2,
        1,
        1,
        0,
        0,
        1,
        0,
        false,
        nanos,
        succeeded
            ? List.of()
            : List.of(
                new ApplyReport.Failure(
                    "write", new StoreException(StoreException.Reason.OTHER, "no"))));
  }

  private static Round round(boolean full, boolean succeeded, SourceChanges changes) {
    return new Round(
        full,
        300_000,
        3_000_000,
        report(succeeded, 2_000_000),
        changes,
        List.of(
            new Problem(Problem.Severity.ERROR, "", 0, "", "", "x"),
            new Problem(Problem.Severity.NOTE, "", 0, "", "", "y")),
        List.of(new Rejection.ProtocolUnsupported(WHO)),
        List.of(new Refusal(Refusal.Limit.BACKENDS, 5, 4)),
        new NoLocalEndpoints(1, 2, 3, 4),
        () -> ClusterSnapshot.EMPTY);
  }

  private PrometheusText scrape() {
    return PrometheusText.parse(metrics.all("").text());
  }

  @Test
  void whatKubeProxyHasIsThereFromTheStartForBothFamilies() {
    PrometheusText text = scrape();

    for (String name :
        List.of(
            "sync_proxy_rules_duration_seconds",
            "sync_full_proxy_rules_duration_seconds",
            "sync_partial_proxy_rules_duration_seconds",
            "sync_proxy_rules_last_timestamp_seconds",
            "sync_proxy_rules_last_queued_timestamp_seconds",
            "network_programming_duration_seconds",
            "conntrack_reconciler_deleted_entries_total",
            "conntrack_reconciler_sync_duration_seconds")) {
      Family family = text.family("kubeproxy_" + name);
      assertThat(
              family.samples().stream()
                  .map(sample -> String.valueOf(sample.labels().get("ip_family")))
                  .distinct())
          .as(name)
          .containsExactlyInAnyOrder("IPv4", "IPv6");
      assertThat(family.samples().stream().mapToDouble(PrometheusText.Sample::value))
          .as(name)
          .containsOnly(0.0);
    }
    assertThat(text.family("kubeproxy_proxy_healthz_total").samples())
        .extracting(sample -> sample.labels().get("code"))
        .containsExactlyInAnyOrder("200", "503");
    assertThat(text.family("kubeproxy_sync_proxy_rules_no_local_endpoints_total").type())
        .isEqualTo("gauge");
    assertThat(text.family("kubeproxy_sync_proxy_rules_no_local_endpoints_total").samples())
        .hasSize(4);
  }

  @Test
  void aRoundIsCounted() {
    SourceChanges changes =
        new SourceChanges(
            1,
            2,
            List.of(new SourceChanges.Trigger(IpFamily.IPV6, System.currentTimeMillis() - 2_500)));
    statistics.told(changes);
    PrometheusText before = scrape();
    assertThat(before.sum("kubeproxy_sync_proxy_rules_service_changes_pending")).isEqualTo(1);
    assertThat(before.sum("kubeproxy_sync_proxy_rules_endpoint_changes_pending")).isEqualTo(2);

    statistics.ended(round(false, true, changes));

    PrometheusText text = scrape();
    assertThat(text.sum("kubeproxy_sync_proxy_rules_service_changes_pending")).isZero();
    assertThat(text.sum("kubeproxy_sync_proxy_rules_endpoint_changes_pending")).isZero();
    assertThat(text.sum("kubeproxy_sync_proxy_rules_service_changes_total")).isEqualTo(1);
    assertThat(text.sum("kubeproxy_sync_proxy_rules_endpoint_changes_total")).isEqualTo(2);
    assertThat(text.sum("kubeproxy_sync_proxy_rules_duration_seconds_count")).isEqualTo(2);
    assertThat(
            text.sum("kubeproxy_sync_proxy_rules_duration_seconds_bucket", Map.of("le", "0.002")))
        .isZero();
    assertThat(
            text.sum("kubeproxy_sync_proxy_rules_duration_seconds_bucket", Map.of("le", "0.004")))
        .isEqualTo(2);
    assertThat(text.sum("kubeproxy_sync_full_proxy_rules_duration_seconds_count")).isZero();
    assertThat(text.sum("kubeproxy_sync_partial_proxy_rules_duration_seconds_count")).isEqualTo(2);
    assertThat(
            text.sum(
                "kubeproxy_network_programming_duration_seconds_bucket",
                Map.of("ip_family", "IPv6", "le", "2.0")))
        .isZero();
    assertThat(
            text.sum(
                "kubeproxy_network_programming_duration_seconds_bucket",
                Map.of("ip_family", "IPv6", "le", "10.0")))
        .isEqualTo(1);
    assertThat(
            text.sum(
                "kubeproxy_network_programming_duration_seconds_count",
                Map.of("ip_family", "IPv4")))
        .isZero();
    assertThat(text.sum("kubeproxy_sync_proxy_rules_last_timestamp_seconds") / 2)
        .isBetween(System.currentTimeMillis() / 1e3 - 60, System.currentTimeMillis() / 1e3 + 1);
    assertThat(
            text.sum(
                "kubeproxy_sync_proxy_rules_no_local_endpoints_total",
                Map.of("traffic_policy", "external", "ip_family", "IPv6")))
        .isEqualTo(4);
    assertThat(text.sum("patchbay_problems", Map.of("severity", "error"))).isEqualTo(1);
    assertThat(text.sum("patchbay_problems")).isEqualTo(2);
    assertThat(text.sum("patchbay_rejections", Map.of("kind", "protocol_unsupported")))
        .isEqualTo(1);
    assertThat(text.sum("patchbay_refused_service_ports", Map.of("limit", "backends")))
        .isEqualTo(1);
    assertThat(text.sum("patchbay_compile_duration_seconds_sum")).isEqualTo(0.0003);
    assertThat(text.sum("patchbay_apply_duration_seconds_sum")).isEqualTo(0.002);
  }

  /** kube-proxy tells them only once there is a value, so no scrape of it is compared. */
  @Test
  void boundsOfNetworkProgrammingAreThoseOfKubeProxy() {
    List<Double> wanted = new ArrayList<>(List.of(0.25, 0.5));
    IntStream.rangeClosed(1, 59).forEach(second -> wanted.add((double) second));
    IntStream.range(0, 12).forEach(step -> wanted.add(60.0 + 5 * step));
    IntStream.range(0, 7).forEach(step -> wanted.add(120.0 + 30 * step));
    wanted.add(Double.POSITIVE_INFINITY);

    assertThat(scrape().family("kubeproxy_network_programming_duration_seconds").bounds())
        .containsExactlyElementsOf(wanted);
  }

  @Test
  void whatFailedStaysPendingUntilItSucceeds() {
    SourceChanges changes =
        new SourceChanges(1, 2, List.of(new SourceChanges.Trigger(IpFamily.IPV4, 1)));
    statistics.told(changes);
    statistics.ended(round(false, false, changes));
    statistics.ended(round(false, false, SourceChanges.NONE));

    PrometheusText failing = scrape();
    assertThat(failing.sum("kubeproxy_sync_proxy_rules_endpoint_changes_pending")).isEqualTo(2);
    assertThat(failing.sum("kubeproxy_sync_proxy_rules_last_timestamp_seconds")).isZero();
    assertThat(failing.sum("patchbay_apply_failures_total")).isEqualTo(2);

    statistics.ended(round(false, true, SourceChanges.NONE));

    PrometheusText mended = scrape();
    assertThat(mended.sum("kubeproxy_sync_proxy_rules_endpoint_changes_pending")).isZero();
    assertThat(mended.sum("kubeproxy_sync_proxy_rules_service_changes_pending")).isZero();
    assertThat(mended.sum("kubeproxy_network_programming_duration_seconds_count"))
        .as("as kube-proxy, which forgets the time of what it could not apply")
        .isZero();
  }

  @Test
  void checksOfHealthAreCountedAndForgotten() {
    statistics.healthz(200);
    statistics.healthz(503);
    statistics.livez(200);
    statistics.checked("ping", "healthz", true);

    PrometheusText text = scrape();
    assertThat(text.sum("kubeproxy_proxy_healthz_total", Map.of("code", "503"))).isEqualTo(1);
    assertThat(text.sum("kubeproxy_proxy_livez_total", Map.of("code", "200"))).isEqualTo(1);
    PrometheusText slis = PrometheusText.parse(metrics.indicators("").text());
    assertThat(slis.families())
        .containsOnlyKeys(
            "kubernetes_healthcheck",
            "kubernetes_healthchecks_total",
            "process_start_time_seconds");
    assertThat(
            slis.sum("kubernetes_healthcheck", Map.of("name", "service-proxy", "type", "healthz")))
        .as("the last one failed")
        .isZero();
    assertThat(
            slis.sum(
                "kubernetes_healthchecks_total",
                Map.of("name", "ping", "type", "healthz", "status", "success")))
        .isEqualTo(1);
    assertThat(slis.sum("kubernetes_healthchecks_total")).isEqualTo(4);

    statistics.forgetChecks();

    assertThat(PrometheusText.parse(metrics.indicators("").text()).families())
        .containsOnlyKeys("process_start_time_seconds");
  }

  @Test
  void processIsThisOne() {
    PrometheusText text = scrape();

    assertThat(text.sum("process_resident_memory_bytes")).isGreaterThan(10 << 20);
    assertThat(text.sum("process_virtual_memory_bytes"))
        .isGreaterThan(text.sum("process_resident_memory_bytes"));
    assertThat(text.sum("process_open_fds")).isBetween(3.0, text.sum("process_max_fds"));
    assertThat(text.sum("process_cpu_seconds_total")).isPositive();
    assertThat(text.sum("process_start_time_seconds"))
        .isBetween(System.currentTimeMillis() / 1e3 - 86400, System.currentTimeMillis() / 1e3);
  }

  @Test
  void prometheusAcceptsIt() {
    statistics.ended(round(true, true, SourceChanges.NONE));

    assertThat(PromTool.checkMetrics(metrics.all("").text()))
        .as("a gauge that ends like a counter is kube-proxy's")
        .containsExactly(
            "kubeproxy_sync_proxy_rules_no_local_endpoints_total non-counter metrics should not"
                + " have \"_total\" suffix");
    assertThat(PromTool.checkMetrics(metrics.indicators("").text())).isEmpty();
  }

  @Test
  void openMetricsIsGivenToThoseWhoAskForIt() {
    Metrics.Page page =
        metrics.all("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.3");

    assertThat(page.contentType()).startsWith("application/openmetrics-text");
    assertThat(page.text()).endsWith("# EOF\n").contains("# TYPE patchbay_apply_failures counter");
    assertThat(page.text())
        .contains("\nkubeproxy_sync_proxy_rules_no_local_endpoints_total{ip_family=\"IPv4\"");
    assertThat(metrics.all("text/plain").contentType()).startsWith("text/plain; version=0.0.4");
  }

  @Test
  void namesTypesLabelsAndHelpAreThoseOfTheCatalogue() {
    statistics.ended(round(true, true, SourceChanges.NONE));
    PrometheusText text = scrape();

    for (Metric metric : Metric.values()) {
      Family family = text.families().get(metric.text());
      if (family != null) {
        assertThat(family.type()).as(metric.text()).isEqualTo(typeOf(metric));
        assertThat(family.help()).as(metric.text()).isEqualTo(metric.help());
        assertThat(new TreeSet<>(metric.labels())).as(metric.text()).isEqualTo(family.labels());
      }
    }
    assertThat(text.families().keySet())
        .isSubsetOf(Arrays.stream(Metric.values()).map(Metric::text).collect(Collectors.toSet()));
  }

  private static String typeOf(Metric metric) {
    return metric.type().name().toLowerCase(Locale.ROOT);
  }

  /** The list in the documentation is made of the same. */
  @Test
  void documentationListsAllMetrics() throws IOException {
    Path document = Patchbay.root().resolve("java/docs/metrics.md");
    String text = Files.readString(document);
    String head = "| name | type | labels | meaning |\n|---|---|---|---|\n";
    String tail = "\n<!-- end of the list -->";
    StringBuilder table = new StringBuilder();
    for (Metric metric : Metric.values()) {
      table.append(
          "| `%s` | %s | %s | %s |\n"
              .formatted(
                  metric.text(),
                  typeOf(metric),
                  metric.labels().stream()
                      .map(label -> "`" + label + "`")
                      .collect(Collectors.joining(", ")),
                  metric.help()));
    }
    String expected =
        text.substring(0, text.indexOf(head) + head.length())
            + table
            + text.substring(text.indexOf(tail));
    if (Boolean.getBoolean("patchbay.golden.rewrite")) {
      Files.writeString(document, expected);
    }
    assertThat(Files.readString(document)).isEqualTo(expected);
  }
}
