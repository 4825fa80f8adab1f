// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench;

import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.random.RandomGenerator;

/** Statistics of small samples, none of which assume a distribution. */
public final class Statistics {
  private static final int RESAMPLES = 2_000;
  private static final double CONFIDENCE = 0.95;

  private Statistics() {}

  /** The median; the mean of both in the middle if their number is even. */
  public static double median(Collection<Double> values) {
    return quantile(values, 0.5);
  }

  /**
   * A quantile, linear between the two values next to it.
   *
   * @param part from 0, the lowest, to 1, the highest
   */
  public static double quantile(Collection<Double> values, double part) {
    double[] sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    return quantile(sorted, part);
  }

  private static double quantile(double[] sorted, double part) {
    if (sorted.length == 0 || !(part >= 0 && part <= 1)) {
      throw new IllegalArgumentException("quantile " + part + " of " + sorted.length + " values");
    }
    double position = part * (sorted.length - 1);
    int below = (int) position;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
  }

  /**
   * The nearest rank, always a value that was measured: the smallest that is not below so many of
   * all.
   *
   * @param values at least one
   * @param percent 0, exclusive, to 100
   */
  public static double percentile(Collection<Double> values, double percent) {
    double[] sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    if (sorted.length == 0 || !(percent > 0 && percent <= 100)) {
      throw new IllegalArgumentException("percentile " + percent + " of " + sorted.length);
    }
    return sorted[(int) Math.ceil(percent / 100 * sorted.length) - 1];
  }

  /**
   * Where the median over runs of the medians over rounds is with 95 %, by resampling: runs first,
   * then rounds within them, because what happens to a whole run happens to all its rounds.
   *
   * @param runs the values of the rounds of each run; none is empty
   */
  public static Interval confidence(List<List<Double>> runs, RandomGenerator random) {
    double[][] values =
        runs.stream()
            .map(rounds -> rounds.stream().mapToDouble(Double::doubleValue).toArray())
            .toArray(double[][]::new);
    double[] found = new double[RESAMPLES];
    double[] medians = new double[values.length];
    for (int i = 0; i < RESAMPLES; i++) {
      for (int run = 0; run < values.length; run++) {
        double[] from = values[random.nextInt(values.length)];
        double[] drawn = new double[from.length];
        for (int round = 0; round < drawn.length; round++) {
          drawn[round] = from[random.nextInt(from.length)];
        }
        Arrays.sort(drawn);
        medians[run] = quantile(drawn, 0.5);
      }
      double[] sorted = medians.clone();
      Arrays.sort(sorted);
      found[i] = quantile(sorted, 0.5);
    }
    Arrays.sort(found);
    double tail = (1 - CONFIDENCE) / 2;
    return new Interval(quantile(found, tail), quantile(found, 1 - tail));
  }
}
