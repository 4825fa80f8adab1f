// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.metrics;

import dev.patchbay.agent.Version;
import dev.patchbay.compile.NoLocalEndpoints;
import dev.patchbay.compile.Rejection;
import dev.patchbay.kernel.Dataplane;
import dev.patchbay.kernel.KernelException;
import dev.patchbay.kernel.MapUsage;
import dev.patchbay.kube.ApiRequests;
import dev.patchbay.kube.ClusterHealth;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.Problem;
import dev.patchbay.model.Protocol;
import dev.patchbay.observe.BackendStats;
import dev.patchbay.observe.BackendStatsKey;
import dev.patchbay.observe.Counters;
import dev.patchbay.observe.Distribution;
import dev.patchbay.observe.HealthStats;
import dev.patchbay.observe.ServiceStats;
import dev.patchbay.observe.StaleSocketCounters;
import dev.patchbay.reconcile.Refusal;
import io.prometheus.metrics.config.EscapingScheme;
import io.prometheus.metrics.expositionformats.ExpositionFormatWriter;
import io.prometheus.metrics.expositionformats.OpenMetricsTextFormatWriter;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Makes the answer to a scrape out of all that is known. For one thread at a time. */
final class Exposition {
  private final AgentStatistics statistics;
  private final Supplier<SourceFigures> source;
  private final ServiceSeries series;
  private final ProcessFigures process = new ProcessFigures(Path.of("/proc/self"));
  private final ExpositionFormatWriter plain =
      PrometheusTextFormatWriter.builder().setIncludeCreatedTimestamps(false).build();
  private final ExpositionFormatWriter open =
      OpenMetricsTextFormatWriter.builder().setCreatedTimestampsEnabled(false).build();

  Exposition(AgentStatistics statistics, Supplier<SourceFigures> source, SeriesLimits limits) {
    series = new ServiceSeries(limits);
    this.statistics = statistics;
    this.source = source;
  }

  Metrics.Page all(
      String accept,
      @Nullable Dataplane dataplane,
      @Nullable HealthStats health,
      @Nullable StaleSocketCounters sockets) {
    Families families = new Families();
    proxy(families);
    rounds(families);
    source(families);
    process.collect(families);
    builds(families);
    if (dataplane != null) {
      counters(dataplane.counters(), families);
      maps(dataplane, families);
    }
    if (health != null) {
      health(health.health(), families);
    }
    if (sockets != null) {
      staleSockets(sockets, families);
    }
    return page(accept, families);
  }

  Metrics.Page indicators(String accept) {
    Families families = new Families();
    statistics
        .lastChecks()
        .forEach(
            (check, passed) ->
                families.add(Metric.HEALTHCHECK, passed ? 1 : 0, check.name(), check.type()));
    statistics
        .checks()
        .forEach(
            (check, count) ->
                families.add(
                    Metric.HEALTHCHECKS,
                    count.sum(),
                    check.of().name(),
                    check.of().type(),
                    check.passed() ? "success" : "error"));
    process.start(families);
    return page(accept, families);
  }

  private Metrics.Page page(String accept, Families families) {
    ExpositionFormatWriter writer = open.accepts(accept) ? open : plain;
    ByteArrayOutputStream text = new ByteArrayOutputStream(32 * 1024);
    try {
      writer.write(text, families.snapshots(), EscapingScheme.UNDERSCORE_ESCAPING);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // memory takes everything
    }
    return new Metrics.Page(writer.getContentType(), text.toString(StandardCharsets.UTF_8));
  }

  /** What kube-proxy tells too. */
  private void proxy(Families into) {
    AgentStatistics.Totals totals = statistics.totals();
    Distribution none = statistics.noSyncs();
    for (IpFamily family : IpFamily.values()) {
      String label = family.toString();
      into.add(Metric.SYNC_DURATION, statistics.syncs(), label);
      into.add(Metric.SYNC_FULL_DURATION, statistics.fullSyncs(), label);
      into.add(Metric.SYNC_PARTIAL_DURATION, statistics.partialSyncs(), label);
      into.add(Metric.SYNC_LAST, totals.lastSyncedMillis() / 1e3, label);
      into.add(Metric.SYNC_LAST_QUEUED, totals.lastQueuedMillis() / 1e3, label);
      into.add(Metric.NETWORK_PROGRAMMING, statistics.programming(family), label);
      into.add(Metric.CONNTRACK_DELETED, 0, label);
      into.add(Metric.CONNTRACK_DURATION, none, label);
    }
    into.add(Metric.ENDPOINT_CHANGES, totals.endpointChanges());
    into.add(Metric.ENDPOINT_CHANGES_PENDING, totals.endpointsPending());
    into.add(Metric.SERVICE_CHANGES, totals.serviceChanges());
    into.add(Metric.SERVICE_CHANGES_PENDING, totals.servicesPending());
    Round last = totals.last();
    NoLocalEndpoints without = last == null ? NoLocalEndpoints.NONE : last.noLocalEndpoints();
    into.add(Metric.NO_LOCAL_ENDPOINTS, without.internal4(), "internal", "IPv4");
    into.add(Metric.NO_LOCAL_ENDPOINTS, without.internal6(), "internal", "IPv6");
    into.add(Metric.NO_LOCAL_ENDPOINTS, without.external4(), "external", "IPv4");
    into.add(Metric.NO_LOCAL_ENDPOINTS, without.external6(), "external", "IPv6");
    statistics
        .healthz()
        .forEach(
            (code, count) -> into.add(Metric.PROXY_HEALTHZ, count.sum(), Integer.toString(code)));
    statistics
        .livez()
        .forEach(
            (code, count) -> into.add(Metric.PROXY_LIVEZ, count.sum(), Integer.toString(code)));
  }

  private void rounds(Families into) {
    AgentStatistics.Totals totals = statistics.totals();
    into.add(Metric.COMPILE_DURATION, statistics.compilations());
    into.add(Metric.APPLY_DURATION, statistics.applies());
    into.add(Metric.APPLY_FAILURES, totals.failures());
    Round last = totals.last();
    for (Problem.Severity severity : Problem.Severity.values()) {
      into.add(
          Metric.PROBLEMS,
          last == null
              ? 0
              : last.problems().stream().filter(one -> one.severity() == severity).count(),
          lowerCase(severity));
    }
    for (Rejection.Kind kind : Rejection.Kind.values()) {
      into.add(
          Metric.REJECTIONS,
          last == null ? 0 : last.rejections().stream().filter(one -> one.kind() == kind).count(),
          lowerCase(kind));
    }
    for (Refusal.Limit limit : Refusal.Limit.values()) {
      into.add(
          Metric.REFUSED_SERVICE_PORTS,
          last == null ? 0 : last.refusals().stream().filter(one -> one.limit() == limit).count(),
          lowerCase(limit));
    }
  }

  private static String lowerCase(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }

  private void source(Families into) {
    SourceFigures figures = source.get();
    into.add(Metric.SOURCE_CONNECTED, figures.connected() ? 1 : 0);
    for (ClusterHealth.Resource resource : figures.resources()) {
      into.add(Metric.SOURCE_OBJECTS, resource.objects(), resource.name());
      into.add(Metric.SOURCE_LISTS, resource.lists(), resource.name());
      into.add(Metric.SOURCE_WATCHES, resource.watches(), resource.name());
      into.add(Metric.SOURCE_EVENTS, resource.events(), resource.name());
    }
    ApiRequests requests = figures.requests();
    if (requests != null) {
      for (ApiRequests.Count count : requests.counts()) {
        into.add(
            Metric.REST_CLIENT_REQUESTS, count.count(), count.code(), count.method(), count.host());
      }
      for (ApiRequests.Latency latency : requests.latencies()) {
        into.add(Metric.REST_CLIENT_DURATION, latency.seconds(), latency.method(), latency.host());
      }
    }
  }

  private static void builds(Families into) {
    String version = Version.current();
    String[] numbers = version.split("\\.", 3);
    into.add(Metric.BUILD_INFO, 1, version, Runtime.version().toString());
    into.add(
        Metric.KUBERNETES_BUILD_INFO,
        1,
        numbers[0],
        numbers.length > 1 ? numbers[1] : "",
        "v" + version,
        "",
        "",
        "",
        "",
        "javac",
        "linux/" + System.getProperty("os.arch"));
  }

  private static void staleSockets(StaleSocketCounters sockets, Families into) {
    for (Protocol protocol : new Protocol[] {Protocol.TCP, Protocol.UDP}) {
      into.add(Metric.STALE_SOCKETS_DESTROYED, sockets.destroyed(protocol), protocol.lowerCase());
    }
    into.add(Metric.STALE_SOCKETS_LEFT, sockets.failed());
    into.add(Metric.STALE_SOCKET_SCANS, sockets.scans());
    into.add(Metric.STALE_SOCKET_SECONDS, sockets.scanNanos() / 1e9);
  }

  private static void health(HealthStats.Totals health, Families into) {
    health
        .checks()
        .forEach((check, failing) -> into.add(Metric.HEALTH_FAILING, failing ? 1 : 0, check));
    health.incidents().forEach((check, count) -> into.add(Metric.HEALTH_INCIDENTS, count, check));
    health.repairs().forEach((check, count) -> into.add(Metric.HEALTH_REPAIRS, count, check));
    health.driftFound().forEach((kind, count) -> into.add(Metric.DRIFT_FOUND, count, kind));
    into.add(Metric.DRIFT_REPAIRED, health.driftRepaired());
    into.add(Metric.AUDITS, health.audits());
    into.add(Metric.AUDIT_SECONDS, health.auditNanos() / 1e9);
    into.add(Metric.CANARY_RUNS, health.canaryRuns());
    into.add(Metric.CANARY_FAILURES, health.canaryFailures());
    into.add(Metric.CANARY_SECONDS, health.canaryNanos() / 1e9);
  }

  private static void counters(Counters counters, Families into) {
    into.add(Metric.CONNECTIONS, counters.tcpConnects(), "tcp");
    into.add(Metric.CONNECTIONS, counters.udpConnects(), "udp");
    into.add(Metric.DATAGRAMS, counters.udpSends(), "sent");
    into.add(Metric.DATAGRAMS, counters.udpReplies(), "received");
    into.add(Metric.REFUSALS, counters.refusedNoEndpoint(), "no_endpoint");
    into.add(Metric.REFUSALS, counters.refusedPolicy(), "policy");
    into.add(Metric.REFUSALS, counters.refusedUnknownPort(), "unknown_port");
    into.add(Metric.BIND_REFUSALS, counters.refusedBind());
    into.add(Metric.AFFINITY_HITS, counters.affinityKept());
    into.add(Metric.SOCKET_STATE_FAILURES, counters.stateFailed());
    into.add(Metric.CORRUPT, counters.corrupt());
    into.add(Metric.EVENTS_LOST, counters.eventsLost());
    into.add(Metric.STATISTICS_FAILURES, counters.statsFailed());
  }

  private static Statistics of(Dataplane dataplane) {
    return new Statistics() {
      @Override
      public void services(BiConsumer<Long, ServiceStats> to) {
        try {
          dataplane.serviceStats(to);
        } catch (KernelException refused) {
          throw new IllegalStateException(refused.getMessage(), refused);
        }
      }

      @Override
      public void backends(BiConsumer<BackendStatsKey, BackendStats> to) {
        try {
          dataplane.backendStats(to);
        } catch (KernelException refused) {
          throw new IllegalStateException(refused.getMessage(), refused);
        }
      }
    };
  }

  private void maps(Dataplane dataplane, Families into) {
    try {
      for (MapUsage map : dataplane.usage()) {
        if (map.used().isPresent()) {
          into.add(Metric.MAP_ENTRIES, map.used().getAsLong(), map.map());
          into.add(Metric.MAP_CAPACITY, map.capacity(), map.map());
        }
      }
      AgentStatistics.Totals totals = statistics.totals();
      Round last = totals.last();
      if (last != null) {
        series.collect(totals.rounds(), last.cluster(), of(dataplane), into);
      }
    } catch (KernelException refused) {
      throw new IllegalStateException(refused.getMessage(), refused);
    }
  }
}
