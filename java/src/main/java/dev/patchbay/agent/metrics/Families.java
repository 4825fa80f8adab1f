// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.metrics;

import dev.patchbay.observe.Distribution;
import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot.HistogramDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricMetadata;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** Collects the values of one scrape. For one thread. */
final class Families {
  private static final String TOTAL = "_total";

  private final Map<Metric, List<CounterDataPointSnapshot>> counters = new EnumMap<>(Metric.class);
  private final Map<Metric, List<GaugeDataPointSnapshot>> gauges = new EnumMap<>(Metric.class);
  private final Map<Metric, List<HistogramDataPointSnapshot>> histograms =
      new EnumMap<>(Metric.class);

  /**
   * Adds a value of a counter or a gauge.
   *
   * @param values of its labels, in their order
   */
  void add(Metric metric, double value, String... values) {
    Labels labels = labels(metric, values);
    switch (metric.type()) {
      case COUNTER ->
          counters
              .computeIfAbsent(metric, _ -> new ArrayList<>())
              .add(new CounterDataPointSnapshot(value, labels, null, 0));
      case GAUGE ->
          gauges
              .computeIfAbsent(metric, _ -> new ArrayList<>())
              .add(new GaugeDataPointSnapshot(value, labels, null));
      case HISTOGRAM -> throw new IllegalArgumentException(metric + " is a histogram");
    }
  }

  /** Adds a count, exact to 2^53. */
  void add(Metric metric, long value, String... values) {
    add(metric, (double) value, values);
  }

  /**
   * Adds a histogram.
   *
   * @param values of its labels, in their order
   */
  void add(Metric metric, Distribution value, String... values) {
    if (metric.type() != Metric.Type.HISTOGRAM) {
      throw new IllegalArgumentException(metric + " is no histogram");
    }
    double[] bounds = new double[value.intervals()];
    long[] counts = new long[value.intervals()];
    for (int i = 0; i < counts.length; i++) {
      bounds[i] = value.bound(i);
      counts[i] = value.count(i);
    }
    histograms
        .computeIfAbsent(metric, _ -> new ArrayList<>())
        .add(
            new HistogramDataPointSnapshot(
                ClassicHistogramBuckets.of(bounds, counts),
                value.sum(),
                labels(metric, values),
                null,
                0));
  }

  private static Labels labels(Metric metric, String[] values) {
    if (values.length != metric.labels().size()) {
      throw new IllegalArgumentException(metric + " has the labels " + metric.labels());
    }
    return values.length == 0
        ? Labels.EMPTY
        : Labels.of(metric.labels().toArray(String[]::new), values);
  }

  /** All that was added. */
  MetricSnapshots snapshots() {
    List<MetricSnapshot> all = new ArrayList<>();
    counters.forEach((metric, points) -> all.add(new CounterSnapshot(metadata(metric), points)));
    gauges.forEach((metric, points) -> all.add(new GaugeSnapshot(metadata(metric), points)));
    histograms.forEach(
        (metric, points) -> all.add(new HistogramSnapshot(metadata(metric), points)));
    return new MetricSnapshots(all);
  }

  /** The library adds the end of a counter's name itself. */
  private static MetricMetadata metadata(Metric metric) {
    String name = metric.text();
    return new MetricMetadata(
        metric.type() == Metric.Type.COUNTER && name.endsWith(TOTAL)
            ? name.substring(0, name.length() - TOTAL.length())
            : name,
        metric.help());
  }
}
