// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.observe;

/** How often values were observed, by size. Immutable. */
public final class Distribution {
  private final double[] bounds;
  private final long[] counts;
  private final double sum;

  /**
   * Takes over the arrays.
   *
   * @param bounds upper bounds in seconds, inclusive, ascending; without the last one, which is
   *     infinite
   * @param counts how many values lie in each interval by itself; one longer than {@code bounds}
   * @param sum of all values, in seconds
   */
  public Distribution(double[] bounds, long[] counts, double sum) {
    if (counts.length != bounds.length + 1) {
      throw new IllegalArgumentException(
          counts.length + " counts for " + bounds.length + " finite bounds");
    }
    this.bounds = bounds;
    this.counts = counts;
    this.sum = sum;
  }

  /** How many intervals there are, the infinite one included. */
  public int intervals() {
    return counts.length;
  }

  /** The upper bound of an interval in seconds, inclusive; the last one's is infinite. */
  public double bound(int interval) {
    return interval < bounds.length ? bounds[interval] : Double.POSITIVE_INFINITY;
  }

  /** How many values lie in an interval, and in none below. */
  public long count(int interval) {
    return counts[interval];
  }

  /** Of all values, in seconds. */
  public double sum() {
    return sum;
  }

  /** How many values there were. */
  public long total() {
    long total = 0;
    for (long count : counts) {
      total += count;
    }
    return total;
  }
}
