// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import dev.patchbay.model.ClusterSnapshot;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Protocol;
import dev.patchbay.model.ServicePortKey;
import dev.patchbay.model.ServiceState;
import dev.patchbay.model.TrafficPolicy;
import dev.patchbay.observe.BackendStats;
import dev.patchbay.observe.BackendStatsKey;
import dev.patchbay.observe.ServiceStats;
import dev.patchbay.table.Backend;
import dev.patchbay.testkit.PrometheusText;
import dev.patchbay.testkit.ServiceBuilder;
import io.prometheus.metrics.config.EscapingScheme;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;

class ServiceSeriesTest {
  private final Map<Long, ServiceStats> counted = new HashMap<>();
  private final Map<BackendStatsKey, BackendStats> perBackend = new HashMap<>();
  private final List<ServiceState> services = new ArrayList<>();
  private Set<ObjectKey> before = Set.of();
  private long version;

  private static ServicePortKey key(
      String name, Protocol protocol, IpFamily family, TrafficPolicy policy) {
    return new ServicePortKey(new ObjectKey("default", name), "main", protocol, family, policy);
  }

  private static long id(String name) {
    return key(name, Protocol.TCP, IpFamily.IPV4, TrafficPolicy.CLUSTER).statsId();
  }

  private static ServiceStats tcp(long connects, long closed) {
    List<Long> established = new ArrayList<>(Collections.nCopies(ServiceStats.RANGES, 0L));
    established.set(1, connects);
    return new ServiceStats(connects, 0, 0, 2, 1, closed, 0, 1, connects * 50_000, established);
  }

  private void service(String name) {
    services.add(
        ServiceBuilder.service(name)
            .clusterIps("10.96.0.1")
            .port("main", Protocol.TCP, 80)
            .port("main", Protocol.UDP, 80)
            .build());
  }

  private static String write(Families families) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      PrometheusTextFormatWriter.create()
          .write(out, families.snapshots(), EscapingScheme.UNDERSCORE_ESCAPING);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toString(StandardCharsets.UTF_8);
  }

  private Families collected(ServiceSeries series) {
    Families families = new Families();
    Map<ObjectKey, ServiceState> now = new HashMap<>();
    services.forEach(state -> now.put(state.key(), state));
    if (!now.keySet().equals(before)) {
      version++;
      before = now.keySet();
    }
    series.collect(
        version,
        () -> new ClusterSnapshot(now, List.of()),
        new Statistics() {
          @Override
          public void services(BiConsumer<Long, ServiceStats> to) {
            counted.forEach(to);
          }

          @Override
          public void backends(BiConsumer<BackendStatsKey, BackendStats> to) {
            perBackend.forEach(to);
          }
        },
        families);
    return families;
  }

  private PrometheusText scrape(ServiceSeries series) {
    return PrometheusText.parse(write(collected(series)));
  }

  private static double connections(PrometheusText text, String service) {
    return text.sum("patchbay_service_connections_total", Map.of("service", service));
  }

  @Test
  void familiesAndPoliciesOfAPortAreAddedUpAndProtocolsAreNot() {
    service("kubia");
    for (IpFamily family : IpFamily.values()) {
      for (TrafficPolicy policy : TrafficPolicy.values()) {
        counted.put(key("kubia", Protocol.TCP, family, policy).statsId(), tcp(3, 1));
      }
    }
    counted.put(
        key("kubia", Protocol.UDP, IpFamily.IPV6, TrafficPolicy.CLUSTER).statsId(),
        new ServiceStats(0, 7, 9, 0, 0, 0, 7, 0, 0, Collections.nCopies(ServiceStats.RANGES, 0L)));

    PrometheusText text = scrape(new ServiceSeries(new SeriesLimits(10, 10)));

    Map<String, String> tcp =
        Map.of("namespace", "default", "service", "kubia", "port", "main", "protocol", "tcp");
    assertThat(text.sum("patchbay_service_connections_total", tcp)).isEqualTo(12);
    assertThat(text.sum("patchbay_service_active_connections", tcp)).isEqualTo(8);
    assertThat(text.sum("patchbay_service_connection_failures_total", tcp)).isEqualTo(4);
    assertThat(text.sum("patchbay_service_connect_duration_seconds_count", tcp)).isEqualTo(12);
    assertThat(text.sum("patchbay_service_connect_duration_seconds_sum", tcp))
        .isEqualTo(12 * 50e-6, offset(1e-12));
    assertThat(
            text.sum(
                "patchbay_service_connect_duration_seconds_bucket",
                Map.of("service", "kubia", "le", "1.6E-5")))
        .isZero();
    assertThat(
            text.sum(
                "patchbay_service_connect_duration_seconds_bucket",
                Map.of("service", "kubia", "le", "6.4E-5")))
        .isEqualTo(12);
    assertThat(text.sum("patchbay_service_refusals_total", Map.of("reason", "no_endpoint")))
        .isEqualTo(8);
    assertThat(text.sum("patchbay_service_refusals_total", Map.of("reason", "policy")))
        .isEqualTo(4);
    Map<String, String> udp = Map.of("service", "kubia", "protocol", "udp");
    assertThat(text.sum("patchbay_service_connections_total", udp)).isEqualTo(7);
    assertThat(text.sum("patchbay_service_active_connections", udp)).isZero();
    assertThat(text.sum("patchbay_service_datagrams_total", udp)).isEqualTo(9);
  }

  @Test
  void sumsStayRightBeyondTheLimitAndNeverGoBack() {
    ServiceSeries series = new ServiceSeries(new SeriesLimits(2, 10));
    for (String name : List.of("a", "b", "c", "d")) {
      service(name);
      counted.put(id(name), tcp(10, 4));
    }

    PrometheusText first = scrape(series);
    assertThat(connections(first, "a")).isEqualTo(10);
    assertThat(connections(first, "b")).isEqualTo(10);
    assertThat(connections(first, "(other)")).isEqualTo(20);
    assertThat(first.sum("patchbay_service_connections_total")).isEqualTo(40);
    assertThat(first.sum("patchbay_service_active_connections", Map.of("service", "(other)")))
        .isEqualTo(12);
    assertThat(first.family("patchbay_service_connections_total").samples()).hasSize(3);

    // One with series of its own goes, and one of the others does.
    services.removeIf(state -> List.of("a", "c").contains(state.key().name()));
    counted.put(id("d"), tcp(15, 15));
    PrometheusText second = scrape(series);
    assertThat(connections(second, "a")).isZero();
    assertThat(connections(second, "(other)"))
        .as("10 of c, which is gone, and 15 of d, which does not leave the others")
        .isEqualTo(25);
    assertThat(second.sum("patchbay_service_active_connections", Map.of("service", "(other)")))
        .isZero();

    // Whoever comes now finds a place.
    service("e");
    counted.put(id("e"), tcp(3, 3));
    PrometheusText third = scrape(series);
    assertThat(connections(third, "e")).isEqualTo(3);
    assertThat(connections(third, "(other)")).isEqualTo(25);

    // One that comes back with what was counted before does not count twice.
    service("c");
    counted.put(id("c"), tcp(11, 11));
    assertThat(connections(scrape(series), "(other)")).isEqualTo(26);

    // A counter that begins anew has grown by what it is.
    counted.put(id("d"), tcp(2, 0));
    assertThat(connections(scrape(series), "(other)")).isEqualTo(28);
  }

  @Test
  void aServiceThatIsUsedForTheFirstTimeIsNamedAtOnce() {
    ServiceSeries series = new ServiceSeries(new SeriesLimits(10, 10));
    service("a");
    service("b");
    counted.put(id("a"), tcp(1, 1));
    scrape(series);
    counted.put(id("b"), tcp(2, 2));

    assertThat(connections(scrape(series), "b")).isEqualTo(2);
  }

  @Test
  void withoutAnyPlaceAllAreOthers() {
    service("a");
    counted.put(id("a"), tcp(10, 4));

    PrometheusText text = scrape(new ServiceSeries(new SeriesLimits(0, 0)));

    assertThat(connections(text, "(other)")).isEqualTo(10);
    assertThat(text.family("patchbay_service_connections_total").samples()).hasSize(1);
  }

  @Test
  void whatBelongsToNoServiceIsNotTold() {
    counted.put(4711L, tcp(10, 4));

    assertThat(scrape(new ServiceSeries(new SeriesLimits(10, 10))).families()).isEmpty();
  }

  @Test
  void backendsAreToldWhereTheyAreCounted() {
    service("kubia");
    counted.put(id("kubia"), tcp(10, 4));
    for (int i = 1; i <= 3; i++) {
      perBackend.put(
          new BackendStatsKey(id("kubia"), new Backend(IpAddress.of("10.1.0." + i), 8080)),
          new BackendStats(10L * i, i, i, 0));
    }

    PrometheusText text = scrape(new ServiceSeries(new SeriesLimits(10, 2)));

    assertThat(text.sum("patchbay_backend_connections_total", Map.of("backend", "10.1.0.1:8080")))
        .isEqualTo(10);
    assertThat(text.sum("patchbay_backend_active_connections", Map.of("backend", "10.1.0.2:8080")))
        .isEqualTo(18);
    assertThat(text.sum("patchbay_backend_connection_failures_total", Map.of("backend", "(other)")))
        .isEqualTo(3);
    assertThat(text.sum("patchbay_backend_connections_total")).isEqualTo(60);
  }

  /** The size of a scrape is bounded; the figures are in the documentation. */
  @Test
  void tenThousandServicesMakeAScrapeOfAKnownSize() {
    for (int i = 0; i < 10_000; i++) {
      String name = "service-" + i;
      service(name);
      counted.put(id(name), tcp(1_000_000 + i, 999_000));
    }
    ServiceSeries series = new ServiceSeries(new SeriesLimits(1000, 1000));
    scrape(series);
    long start = System.nanoTime();
    String text = write(collected(series));
    long millis = (System.nanoTime() - start) / 1_000_000;

    System.out.println("scrape of 10000 Services: " + text.length() + " bytes, " + millis + " ms");
    assertThat(text.length()).isLessThan(3_000_000);
    PrometheusText parsed = PrometheusText.parse(text);
    assertThat(parsed.family("patchbay_service_connections_total").samples()).hasSize(1001);
    assertThat(parsed.sum("patchbay_service_connections_total"))
        .isEqualTo(10_000 * 1_000_000.0 + 10_000 * 9_999 / 2.0);
  }
}
