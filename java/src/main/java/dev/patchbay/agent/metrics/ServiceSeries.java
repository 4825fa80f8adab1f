// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.metrics;

import dev.patchbay.agent.metrics.Limited.Counts;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Protocol;
import dev.patchbay.model.ServicePort;
import dev.patchbay.model.ServicePortKey;
import dev.patchbay.model.ServiceState;
import dev.patchbay.model.TrafficPolicy;
import dev.patchbay.observe.BackendStats;
import dev.patchbay.observe.BackendStatsKey;
import dev.patchbay.observe.Distribution;
import dev.patchbay.observe.ServiceStats;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

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

  /** Upper bounds of the ranges in which the programs count, 16 µs and each four times the last. */
  private static final double[] BOUNDS = bounds();

  private final Limited<Port> ports;
  private final Limited<PortBackend> backends;

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

  /**
   * Nobody has series yet.
   *
   * @param maxPorts how many Service ports may have series of their own; 0 or more
   * @param maxBackends how many backends may; 0 or more
   */
  ServiceSeries(int maxPorts, int maxBackends) {
    ports = new Limited<>(maxPorts, ESTABLISHED + ServiceStats.RANGES, Port::protocol);
    backends = new Limited<>(maxBackends, SENDS + 1, one -> one.port().protocol());
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
   * @param services all Services that there are
   * @param counted what the programs counted, by the ids of Service ports
   * @param perBackend likewise, for each backend
   */
  void collect(
      Collection<ServiceState> services,
      Map<Long, ServiceStats> counted,
      Map<BackendStatsKey, BackendStats> perBackend,
      Families into) {
    Map<Long, Port> names = names(services, counted);
    services(names, counted, into);
    if (!perBackend.isEmpty()) {
      backends(names, perBackend, into);
    }
  }

  /** The names of those that were counted. */
  private static Map<Long, Port> names(
      Collection<ServiceState> services, Map<Long, ServiceStats> counted) {
    Map<Long, Port> names = new HashMap<>();
    for (ServiceState state : services) {
      for (ServicePort port : state.service().ports()) {
        if (port.protocol() == Protocol.SCTP) {
          continue;
        }
        for (IpFamily family : IpFamily.values()) {
          for (TrafficPolicy policy : TrafficPolicy.values()) {
            long id =
                new ServicePortKey(state.key(), port.name(), port.protocol(), family, policy)
                    .statsId();
            if (counted.containsKey(id)) {
              names.put(id, new Port(state.key(), port.name(), port.protocol().lowerCase()));
            }
          }
        }
      }
    }
    return names;
  }

  private void services(Map<Long, Port> names, Map<Long, ServiceStats> counted, Families into) {
    SortedMap<Port, Counts> all = new TreeMap<>();
    names.forEach(
        (id, port) -> {
          ServiceStats stats = counted.get(id);
          if (stats != null) {
            add(
                stats,
                all.computeIfAbsent(port, _ -> new Counts(ESTABLISHED + ServiceStats.RANGES)));
          }
        });
    ports
        .take(all)
        .forEach(
            (port, counts) ->
                service(
                    counts,
                    counts,
                    List.of(
                        port.service().namespace(),
                        port.service().name(),
                        port.port(),
                        port.protocol()),
                    into));
    ports
        .others()
        .forEach(
            (protocol, sums) ->
                service(sums.grown(), sums.now(), List.of(OTHER, OTHER, "", protocol), into));
  }

  private static void add(ServiceStats stats, Counts to) {
    to.add(CONNECTS, stats.tcpConnects() + stats.udpConnects());
    to.add(CLOSED, stats.tcpClosed() + stats.udpClosed());
    to.add(FAILED, stats.tcpFailed());
    to.add(SENDS, stats.udpSends());
    to.add(NO_ENDPOINT, stats.refusedNoEndpoint());
    to.add(POLICY, stats.refusedPolicy());
    to.add(ESTABLISHED_NANOS, stats.establishedNanos());
    for (int range = 0; range < ServiceStats.RANGES; range++) {
      to.add(ESTABLISHED + range, stats.established().get(range));
    }
  }

  /**
   * Adds one series of each metric.
   *
   * @param now from which the number of open connections follows
   * @param labels namespace, Service, port, protocol
   */
  private static void service(Counts counts, Counts now, List<String> labels, Families into) {
    String[] of = labels.toArray(String[]::new);
    into.add(Metric.SERVICE_CONNECTIONS, counts.get(CONNECTS), of);
    into.add(Metric.SERVICE_ACTIVE, open(now), of);
    into.add(Metric.SERVICE_REFUSALS, counts.get(NO_ENDPOINT), with(labels, "no_endpoint"));
    into.add(Metric.SERVICE_REFUSALS, counts.get(POLICY), with(labels, "policy"));
    if (labels.getLast().equals("tcp")) {
      into.add(Metric.SERVICE_FAILURES, counts.get(FAILED), of);
      long[] established = new long[ServiceStats.RANGES];
      for (int range = 0; range < established.length; range++) {
        established[range] = counts.get(ESTABLISHED + range);
      }
      into.add(
          Metric.SERVICE_CONNECT_DURATION,
          new Distribution(BOUNDS, established, counts.get(ESTABLISHED_NANOS) / 1e9),
          of);
    } else {
      into.add(Metric.SERVICE_DATAGRAMS, counts.get(SENDS), of);
    }
  }

  /** The programs of different CPUs are not read at one moment: a close may be seen before. */
  private static long open(Counts counts) {
    return Math.max(0, counts.get(CONNECTS) - counts.get(CLOSED));
  }

  private static String[] with(List<String> labels, String last) {
    String[] all = labels.toArray(new String[labels.size() + 1]);
    all[labels.size()] = last;
    return all;
  }

  private void backends(
      Map<Long, Port> names, Map<BackendStatsKey, BackendStats> counted, Families into) {
    SortedMap<PortBackend, Counts> all = new TreeMap<>();
    counted.forEach(
        (key, stats) -> {
          Port port = names.get(key.statsId());
          if (port != null) {
            Counts counts =
                all.computeIfAbsent(
                    new PortBackend(port, key.backend().toString()), _ -> new Counts(SENDS + 1));
            counts.add(CONNECTS, stats.connects());
            counts.add(CLOSED, stats.closed());
            counts.add(FAILED, stats.failed());
            counts.add(SENDS, stats.sends());
          }
        });
    backends
        .take(all)
        .forEach(
            (one, counts) ->
                backend(
                    counts,
                    counts,
                    List.of(
                        one.port().service().namespace(),
                        one.port().service().name(),
                        one.port().port(),
                        one.port().protocol(),
                        one.backend()),
                    one.port().protocol(),
                    into));
    backends
        .others()
        .forEach(
            (protocol, sums) ->
                backend(
                    sums.grown(),
                    sums.now(),
                    List.of(OTHER, OTHER, "", protocol, OTHER),
                    protocol,
                    into));
  }

  private static void backend(
      Counts counts, Counts now, List<String> labels, String protocol, Families into) {
    String[] of = labels.toArray(String[]::new);
    into.add(Metric.BACKEND_CONNECTIONS, counts.get(CONNECTS), of);
    into.add(Metric.BACKEND_ACTIVE, open(now), of);
    if (protocol.equals("tcp")) {
      into.add(Metric.BACKEND_FAILURES, counts.get(FAILED), of);
    } else {
      into.add(Metric.BACKEND_DATAGRAMS, counts.get(SENDS), of);
    }
  }
}
