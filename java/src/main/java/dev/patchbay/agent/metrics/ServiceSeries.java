// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.metrics;

import dev.patchbay.model.ClusterSnapshot;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.ServicePort;
import dev.patchbay.model.ServicePortKey;
import dev.patchbay.model.ServiceState;
import dev.patchbay.model.TrafficPolicy;
import dev.patchbay.observe.BackendStats;
import dev.patchbay.observe.BackendStatsKey;
import dev.patchbay.observe.Distribution;
import dev.patchbay.observe.ServiceStats;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * Metrics of each Service port, and of each backend where its Service asks for them. How many have
 * series of their own is limited; all others are in one series of each metric and protocol, so that
 * sums over all series stay right.
 *
 * <p>Service ports that no socket has used have no series: there may be tens of thousands of them.
 *
 * <p>For one thread at a time.
 */
final class ServiceSeries {
  /**
   * The name, and the namespace, of all Service ports or backends beyond the limit. Not an empty
   * namespace: where Prometheus finds none, it puts the agent's own.
   */
  static final String OTHER = "(other)";

  // Counters of a Service port.
  private static final int CONNECTS = 0;
  private static final int CLOSED = 1;
  private static final int FAILED = 2;
  private static final int SENDS = 3;
  private static final int NO_ENDPOINT = 4;
  private static final int POLICY = 5;
  private static final int ESTABLISHED_NANOS = 6;
  private static final int ESTABLISHED = 7;
  private static final int LENGTH = ESTABLISHED + ServiceStats.RANGES;

  // Counters of a backend: the first four of those.
  private static final int BACKEND_LENGTH = SENDS + 1;

  /** Upper bounds of the ranges in which the programs count. */
  private static final double[] BOUNDS = bounds();

  /**
   * A Service port, over families and policies, as series name it.
   *
   * @param protocol in lower case
   */
  private record Port(ObjectKey service, String port, String protocol) implements Comparable<Port> {
    @Override
    public int compareTo(Port other) {
      int byService = service.compareTo(other.service);
      int byPort = byService != 0 ? byService : port.compareTo(other.port);
      return byPort != 0 ? byPort : protocol.compareTo(other.protocol);
    }
  }

  /**
   * A backend of a Service port, as series name it.
   *
   * @param backend address and port
   */
  private record PortBackend(Port port, String backend) implements Comparable<PortBackend> {
    @Override
    public int compareTo(PortBackend other) {
      int byPort = port.compareTo(other.port);
      return byPort != 0 ? byPort : backend.compareTo(other.backend);
    }
  }

  private final Series<Long, Port> ports;
  private final Series<BackendStatsKey, PortBackend> backends;

  /** Ids that belong to none of the Services that there are now. */
  private final Set<Long> nobodys = new HashSet<>();

  private long version = -1;

  /**
   * Nobody has series yet.
   *
   * @param limits how many may have series of their own
   */
  ServiceSeries(SeriesLimits limits) {
    ports = new Series<>(limits.servicePorts(), LENGTH, Port::protocol);
    backends = new Series<>(limits.backends(), BACKEND_LENGTH, one -> one.port().protocol());
  }

  private static double[] bounds() {
    double[] bounds = new double[ServiceStats.RANGES - 1];
    for (int range = 0; range < bounds.length; range++) {
      bounds[range] = ServiceStats.rangeNanos(range) / 1e9;
    }
    return bounds;
  }

  /**
   * Adds the metrics of this moment.
   *
   * @param now another number whenever the Services may differ; not negative
   * @param cluster all Services that there are; asked only if something has to be named
   * @param statistics what was counted
   */
  void collect(long now, Supplier<ClusterSnapshot> cluster, Statistics statistics, Families into) {
    if (now != version) {
      version = now;
      ClusterSnapshot all = cluster.get();
      ports.retain(port -> isThere(port, all));
      backends.retain(one -> isThere(one.port(), all));
      nobodys.clear();
    }
    services(cluster, statistics);
    backends(statistics);
    ports.own((port, counts) -> service(counts, counts, labels(port), into));
    ports
        .others()
        .forEach(
            (protocol, sums) ->
                service(sums.grown(), sums.now(), List.of(OTHER, OTHER, "", protocol), into));
    backends.own((one, counts) -> backend(counts, counts, labels(one.port()), one.backend(), into));
    backends
        .others()
        .forEach(
            (protocol, sums) ->
                backend(
                    sums.grown(), sums.now(), List.of(OTHER, OTHER, "", protocol), OTHER, into));
  }

  private static boolean isThere(Port port, ClusterSnapshot cluster) {
    ServiceState state = cluster.services().get(port.service());
    if (state == null) {
      return false;
    }
    for (ServicePort one : state.service().ports()) {
      if (one.name().equals(port.port()) && one.protocol().lowerCase().equals(port.protocol())) {
        return true;
      }
    }
    return false;
  }

  /** Reads what was counted for Service ports, and names those that were not met before. */
  private void services(Supplier<ClusterSnapshot> cluster, Statistics statistics) {
    ports.begin();
    long[] counts = new long[LENGTH];
    Map<Long, ServiceStats> strangers = new HashMap<>();
    statistics.services(
        (id, stats) -> {
          if (ports.knows(id)) {
            ports.add(id, read(stats, counts));
          } else if (!nobodys.contains(id)) {
            strangers.put(id, stats);
          }
        });
    if (strangers.isEmpty()) {
      return;
    }
    name(cluster.get(), strangers.keySet());
    strangers.forEach(
        (id, stats) -> {
          if (ports.knows(id)) {
            ports.add(id, read(stats, counts));
          } else {
            nobodys.add(id);
          }
        });
  }

  private void name(ClusterSnapshot cluster, Set<Long> ids) {
    TreeMap<Port, Set<Long>> found = new TreeMap<>();
    for (ServiceState state : cluster.services().values()) {
      for (ServicePort port : state.service().ports()) {
        for (IpFamily family : IpFamily.values()) {
          for (TrafficPolicy policy : TrafficPolicy.values()) {
            long id =
                new ServicePortKey(state.key(), port.name(), port.protocol(), family, policy)
                    .statsId();
            if (ids.contains(id)) {
              found
                  .computeIfAbsent(
                      new Port(state.key(), port.name(), port.protocol().lowerCase()),
                      _ -> new HashSet<>(2))
                  .add(id);
            }
          }
        }
      }
    }
    found.forEach((port, all) -> all.forEach(id -> ports.name(id, port)));
  }

  private static long[] read(ServiceStats stats, long[] to) {
    to[CONNECTS] = stats.tcpConnects() + stats.udpConnects();
    to[CLOSED] = stats.tcpClosed() + stats.udpClosed();
    to[FAILED] = stats.tcpFailed();
    to[SENDS] = stats.udpSends();
    to[NO_ENDPOINT] = stats.refusedNoEndpoint();
    to[POLICY] = stats.refusedPolicy();
    to[ESTABLISHED_NANOS] = stats.establishedNanos();
    for (int range = 0; range < ServiceStats.RANGES; range++) {
      to[ESTABLISHED + range] = stats.established().get(range);
    }
    return to;
  }

  /** Backends are named as their Service ports are, which were read before. */
  private void backends(Statistics statistics) {
    backends.begin();
    long[] counts = new long[BACKEND_LENGTH];
    TreeMap<PortBackend, Map<BackendStatsKey, BackendStats>> strangers = new TreeMap<>();
    statistics.backends(
        (key, stats) -> {
          Port port = ports.label(key.statsId());
          if (backends.knows(key)) {
            backends.add(key, read(stats, counts));
          } else if (port != null) {
            strangers
                .computeIfAbsent(
                    new PortBackend(port, key.backend().toString()), _ -> new HashMap<>())
                .put(key, stats);
          }
        });
    strangers.forEach(
        (label, keys) ->
            keys.forEach(
                (key, stats) -> {
                  backends.name(key, label);
                  backends.add(key, read(stats, counts));
                }));
  }

  private static long[] read(BackendStats stats, long[] to) {
    to[CONNECTS] = stats.connects();
    to[CLOSED] = stats.closed();
    to[FAILED] = stats.failed();
    to[SENDS] = stats.sends();
    return to;
  }

  private static List<String> labels(Port port) {
    return List.of(port.service().namespace(), port.service().name(), port.port(), port.protocol());
  }

  /**
   * Adds one series of each metric.
   *
   * @param now from which the number of open connections follows
   * @param labels namespace, Service, port, protocol
   */
  private static void service(long[] counts, long[] now, List<String> labels, Families into) {
    String[] of = labels.toArray(String[]::new);
    into.add(Metric.SERVICE_CONNECTIONS, counts[CONNECTS], of);
    into.add(Metric.SERVICE_ACTIVE, open(now), of);
    into.add(Metric.SERVICE_REFUSALS, counts[NO_ENDPOINT], with(labels, "no_endpoint"));
    into.add(Metric.SERVICE_REFUSALS, counts[POLICY], with(labels, "policy"));
    if (labels.getLast().equals("tcp")) {
      into.add(Metric.SERVICE_FAILURES, counts[FAILED], of);
      Distribution times =
          new Distribution(
              BOUNDS,
              Arrays.copyOfRange(counts, ESTABLISHED, LENGTH),
              counts[ESTABLISHED_NANOS] / 1e9);
      if (times.total() > 0) { // twelve lines each, of nothing but zeros where nobody measures
        into.add(Metric.SERVICE_CONNECT_DURATION, times, of);
      }
    } else {
      into.add(Metric.SERVICE_DATAGRAMS, counts[SENDS], of);
    }
  }

  /** The programs of different CPUs are not read at one moment: a close may be seen before. */
  private static long open(long[] counts) {
    return Math.max(0, counts[CONNECTS] - counts[CLOSED]);
  }

  private static String[] with(List<String> labels, String last) {
    String[] all = labels.toArray(new String[labels.size() + 1]);
    all[labels.size()] = last;
    return all;
  }

  /**
   * Adds one series of each metric.
   *
   * @param now from which the number of open connections follows
   * @param labels namespace, Service, port, protocol
   */
  private static void backend(
      long[] counts, long[] now, List<String> labels, String backend, Families into) {
    String[] of = with(labels, backend);
    into.add(Metric.BACKEND_CONNECTIONS, counts[CONNECTS], of);
    into.add(Metric.BACKEND_ACTIVE, open(now), of);
    if (labels.getLast().equals("tcp")) {
      into.add(Metric.BACKEND_FAILURES, counts[FAILED], of);
    } else {
      into.add(Metric.BACKEND_DATAGRAMS, counts[SENDS], of);
    }
  }
}
