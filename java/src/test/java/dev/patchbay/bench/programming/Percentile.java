// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench.programming;

import java.util.Collection;

/** The nearest rank: always a value that was measured, as latencies want it. */
final class Percentile {
  private Percentile() {}

  /**
   * The smallest value that is not below so many of all.
   *
   * @param values at least one
   * @param percent 0, exclusive, to 100
   */
  static double of(Collection<Double> values, double percent) {
    double[] sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    if (sorted.length == 0 || !(percent > 0 && percent <= 100)) {
      throw new IllegalArgumentException("percentile " + percent + " of " + sorted.length);
    }
    return sorted[(int) Math.ceil(percent / 100 * sorted.length) - 1];
  }
}
