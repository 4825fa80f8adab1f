// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.patchbay.lab.Client;
import dev.patchbay.lab.Daemon;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Json;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Manifest;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Outcome;
import dev.patchbay.lab.Pod;
import dev.patchbay.lab.Result;
import dev.patchbay.lab.Sock;
import dev.patchbay.testkit.PromTool;
import dev.patchbay.testkit.PrometheusText;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the agent serves at {@code --metrics-bind-address}. */
@EndToEnd
class MetricsE2eTest {
  private static final String ADDRESS = Family.IPV4.service(10);
  private static final String EMPTY = Family.IPV4.service(11);

  /** Enough for anything to begin or end. */
  private static final Duration END = Duration.ofSeconds(60);

  @AutoClose private final Lab lab = Lab.create();
  private final Node node = lab.addNode("node1");
  private final List<Pod> pods = node.addServers("a", "b");
  private final Client client = node.addPod("client").client();

  @BeforeEach
  void manifests() {
    node.write("service.yaml", Manifest.serverService("kubia", 10, "app: kubia"));
    node.write("empty.yaml", Manifest.serverService("empty", 11, "app: nobody"));
    node.write("pods.yaml", Manifest.pods("app: kubia", pods));
  }

  @AfterEach
  void removeEverything() {
    node.lastAgentIfAny().ifPresent(Daemon::kill);
    node.cleanup().orFail();
  }

  private Result get(String path, String... more) {
    List<String> command =
        new ArrayList<>(List.of("curl", "--silent", "--show-error", "--fail", "--noproxy", "*"));
    command.addAll(List.of(more));
    command.add("http://" + Node.METRICS + path);
    return node.host().exec(command.toArray(String[]::new));
  }

  private PrometheusText scrape() {
    return PrometheusText.parse(get("/metrics").orFail().out());
  }

  private void connect(int times) {
    for (int i = 0; i < times; i++) {
      try (Sock socket = client.tcp(Family.IPV4)) {
        assertThat(socket.connect(ADDRESS, Checks.ECHO)).isEqualTo(Outcome.OK);
      }
    }
  }

  @Test
  void connectionsAndRefusalsAreCountedOverRestarts() {
    node.startAgent("--connect-duration-metrics");
    awaitSeries();
    PrometheusText before = scrape();
    connect(5);
    try (Sock udp = client.udp(Family.IPV4)) {
      assertThat(udp.sendTo(ADDRESS, Checks.UDP, "x")).isEqualTo(Outcome.OK);
      assertThat(udp.receiveFrom().from()).isEqualTo(ADDRESS + ":" + Checks.UDP);
    }
    try (Sock refused = client.tcp(Family.IPV4)) {
      assertThat(refused.connect(EMPTY, Checks.ECHO)).isEqualTo(Outcome.REFUSED);
    }
    try (Sock refused = client.tcp(Family.IPV4)) {
      assertThat(refused.connect(ADDRESS, 9)).isEqualTo(Outcome.REFUSED);
    }

    PrometheusText after = scrape();

    assertThat(grown(before, after, "patchbay_connections_total", Map.of("protocol", "tcp")))
        .as("with the agent's own checks")
        .isGreaterThanOrEqualTo(5);
    Map<String, String> echo =
        Map.of("namespace", "default", "service", "kubia", "port", "echo", "protocol", "tcp");
    assertThat(grown(before, after, "patchbay_service_connections_total", echo)).isEqualTo(5);
    assertThat(after.sum("patchbay_service_active_connections", echo)).isZero();
    assertThat(grown(before, after, "patchbay_service_connect_duration_seconds_count", echo))
        .isEqualTo(5);
    assertThat(
            grown(
                before,
                after,
                "patchbay_service_connect_duration_seconds_bucket",
                Map.of("service", "kubia", "port", "echo", "le", "1.048576")))
        .as("but for one that met a machine that stood still")
        .isBetween(4.0, 5.0);
    assertThat(grown(before, after, "patchbay_service_datagrams_total", Map.of("service", "kubia")))
        .isEqualTo(1);
    assertThat(
            grown(
                before,
                after,
                "patchbay_service_refusals_total",
                Map.of("service", "empty", "reason", "no_endpoint")))
        .isEqualTo(1);
    assertThat(grown(before, after, "patchbay_refusals_total", Map.of("reason", "no_endpoint")))
        .isEqualTo(1);
    assertThat(grown(before, after, "patchbay_refusals_total", Map.of("reason", "unknown_port")))
        .isEqualTo(1);

    node.agent().terminate();
    node.agent().awaitExit(END);
    connect(2);
    node.startAgent();

    assertThat(grown(before, scrape(), "patchbay_connections_total", Map.of("protocol", "tcp")))
        .isGreaterThanOrEqualTo(7);
    assertThat(
            grown(
                before,
                scrape(),
                "patchbay_service_connections_total",
                Map.of("service", "kubia", "port", "echo")))
        .as("over the restart")
        .isEqualTo(7);
  }

  /**
   * Uses all that is counted until it is: the programs make the entries of a Service, for which
   * they cannot wait, so on a busy machine they go on without now and then.
   */
  private void awaitSeries() {
    Eventually.soon(
        () -> {
          connect(1);
          try (Sock udp = client.udp(Family.IPV4);
              Sock refused = client.tcp(Family.IPV4)) {
            assertThat(udp.sendTo(ADDRESS, Checks.UDP, "x")).isEqualTo(Outcome.OK);
            assertThat(refused.connect(EMPTY, Checks.ECHO)).isEqualTo(Outcome.REFUSED);
          }
          PrometheusText seen = scrape();
          assertThat(
                  seen.sum(
                      "patchbay_service_connections_total",
                      Map.of("service", "kubia", "port", "echo")))
              .isPositive();
          assertThat(
                  seen.sum(
                      "patchbay_service_connect_duration_seconds_count",
                      Map.of("service", "kubia", "port", "echo")))
              .as("connections are timed from a moment after \"ready\" on")
              .isPositive();
          assertThat(seen.sum("patchbay_service_datagrams_total", Map.of("service", "kubia")))
              .isPositive();
          assertThat(seen.sum("patchbay_service_refusals_total", Map.of("service", "empty")))
              .isPositive();
        });
  }

  /** The agent sends some of its own every few seconds, which count too. */
  @Test
  void aDatagramIsCountedOnce() {
    node.startAgent();
    List<Double> sent = new ArrayList<>();
    List<Double> received = new ArrayList<>();
    for (int round = 0; round < 5; round++) {
      PrometheusText before = scrape();
      try (Sock udp = client.udp(Family.IPV4)) {
        assertThat(udp.sendTo(ADDRESS, Checks.UDP, "x")).isEqualTo(Outcome.OK);
        assertThat(udp.receiveFrom().from()).isEqualTo(ADDRESS + ":" + Checks.UDP);
      }
      PrometheusText after = scrape();
      sent.add(grown(before, after, "patchbay_datagrams_total", Map.of("direction", "sent")));
      received.add(
          grown(before, after, "patchbay_datagrams_total", Map.of("direction", "received")));
    }
    assertThat(Collections.min(sent)).as("sent: %s", sent).isEqualTo(1);
    assertThat(Collections.min(received)).as("received: %s", received).isEqualTo(1);
  }

  private static double grown(
      PrometheusText before, PrometheusText after, String name, Map<String, String> labels) {
    return after.sum(name, labels) - before.sum(name, labels);
  }

  @Test
  void changesAndMapsAreMeasured() {
    node.startAgent();
    PrometheusText before = scrape();
    assertThat(before.sum("kubeproxy_sync_full_proxy_rules_duration_seconds_count")).isEqualTo(2);
    assertThat(before.sum("kubeproxy_sync_proxy_rules_service_changes_total")).isEqualTo(2);
    assertThat(before.sum("patchbay_map_entries", Map.of("map", "frontends"))).isPositive();
    assertThat(before.sum("patchbay_map_entries", Map.of("map", "backends")))
        .as("two Pods behind each port of kubia and family")
        .isPositive();

    node.write("pods.yaml", Manifest.pods("app: kubia", pods.subList(0, 1)));

    Eventually.soon(
        () -> {
          PrometheusText after = scrape();
          assertThat(
                  grown(
                      before, after, "kubeproxy_sync_proxy_rules_endpoint_changes_total", Map.of()))
              .isEqualTo(1);
          assertThat(after.sum("kubeproxy_sync_partial_proxy_rules_duration_seconds_count"))
              .as("this one for both families, and that for the agent's own rows")
              .isGreaterThanOrEqualTo(2);
          assertThat(after.sum("kubeproxy_sync_proxy_rules_endpoint_changes_pending")).isZero();
          assertThat(after.sum("patchbay_map_entries", Map.of("map", "backends")))
              .isLessThan(before.sum("patchbay_map_entries", Map.of("map", "backends")));
        });
    PrometheusText after = scrape();
    assertThat(after.sum("patchbay_map_capacity", Map.of("map", "services"))).isEqualTo(65536);
    Json maps = Json.parse(node.read("status", "-o", "json").out()).get("maps");
    for (String map : List.of("frontends", "services", "backends")) {
      assertThat(after.sum("patchbay_map_entries", Map.of("map", map)))
          .as("%s, with the agent's own rows", map)
          .isCloseTo((double) maps.get(map).get("used").number(), within(4.0));
    }
  }

  @Test
  void otherPagesAreThoseOfKubeProxy() {
    node.startAgent();

    assertThat(get("/proxyMode").orFail().out()).isEqualTo("ebpf");
    assertThat(get("/healthz").orFail().out()).isEqualTo("ok");
    assertThat(get("/configz").orFail().out())
        .contains("\"node-name\":\"node1\"")
        .contains("\"metrics-bind-address\":\"" + Node.METRICS + "\"")
        .contains("\"manifests\":\"" + node.manifests() + "\"")
        .contains("\"max-services\":65536");
    assertThat(get("/metrics/slis").orFail().out())
        .contains("kubernetes_healthcheck{name=\"ping\",type=\"healthz\"} 1.0");
    node.host()
        .exec("curl", "--silent", "--fail", "--noproxy", "*", "http://" + Node.HEALTHZ + "/healthz")
        .orFail();
    assertThat(scrape().sum("kubeproxy_proxy_healthz_total", Map.of("code", "200"))).isEqualTo(1);
    Result open =
        get("/metrics", "--header", "Accept: application/openmetrics-text; version=1.0.0");
    assertThat(open.orFail().out()).endsWith("# EOF\n");
  }

  @Test
  void prometheusAcceptsAScrapeAfterTraffic() {
    node.startAgent();
    connect(2);

    assertThat(PromTool.checkMetrics(get("/metrics", "--compressed").orFail().out()))
        .containsExactly(
            "kubeproxy_sync_proxy_rules_no_local_endpoints_total non-counter metrics should not"
                + " have \"_total\" suffix");
  }

  @Test
  void anAddressThatIsTakenIsReportedOrFatal() {
    Daemon other =
        node.host()
            .start("python3", "-u", "-m", "http.server", "10249", "--bind", "127.0.0.1")
            .awaitOut("Serving HTTP", END);
    try {
      node.startAgent();

      assertThat(node.agent().err()).contains("cannot serve metrics").contains(Node.METRICS);
      node.agent().terminate();
      node.agent().awaitExit(END);

      Daemon strict = node.launchAgent("--bind-address-hard-fail");
      assertThat(strict.awaitExit(END)).isEqualTo(1);
      assertThat(strict.err())
          .contains("cannot serve metrics on " + Node.METRICS)
          .contains("--metrics-bind-address");
    } finally {
      other.kill();
    }
  }
}
