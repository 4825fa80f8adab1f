// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench;

import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * A number that was measured several times.
 *
 * @param value the median of the runs
 * @param runs what each run gave; not empty
 * @param samples how many single measurements it is made of; at least the number of runs
 * @param confidence where the value is with 95 %, if that could be computed
 */
public record Figure(double value, List<Double> runs, long samples, Optional<Interval> confidence) {
  /** Copies the runs. */
  public Figure {
    runs = List.copyOf(runs);
    if (runs.isEmpty() || samples < runs.size()) {
      throw new IllegalArgumentException(samples + " samples in " + runs.size() + " runs");
    }
  }

  /** Of one number. */
  public static Figure of(double value) {
    return of(List.of(value), 1);
  }

  /** The median of runs. */
  public static Figure of(List<Double> runs, long samples) {
    return new Figure(Statistics.median(runs), runs, samples, Optional.empty());
  }

  /** With a confidence interval. */
  public Figure with(Interval interval) {
    return new Figure(value, runs, samples, Optional.of(interval));
  }

  /** The lowest run. */
  public double low() {
    return Collections.min(runs);
  }

  /** The highest run. */
  public double high() {
    return Collections.max(runs);
  }
}
