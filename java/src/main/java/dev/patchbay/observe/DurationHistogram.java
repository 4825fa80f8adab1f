// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.observe;

/**
 * Counts durations by size. Any thread may call; the lock is held for the length of an addition.
 *
 * <p>Not the metrics library's own, because that one would be loaded when the agent starts, and
 * what is counted during a start has to be counted before.
 */
public final class DurationHistogram {
  private final double[] bounds;
  private final long[] counts;
  private double sum;

  /**
   * An empty one.
   *
   * @param bounds upper bounds in seconds, inclusive, ascending, without infinity
   */
  public DurationHistogram(double... bounds) {
    this.bounds = bounds.clone();
    counts = new long[bounds.length + 1];
  }

  /**
   * Counts one duration.
   *
   * @param seconds what is less than nothing, because a clock was set, counts as nothing
   */
  public synchronized void observe(double seconds) {
    double positive = Math.max(0, seconds);
    int interval = 0;
    while (interval < bounds.length && positive > bounds[interval]) {
      interval++;
    }
    counts[interval]++;
    sum += positive;
  }

  /** Counts one duration in nanoseconds. */
  public void observeNanos(long nanos) {
    observe(nanos / 1e9);
  }

  /** What was counted so far. */
  public synchronized Distribution distribution() {
    return new Distribution(bounds, counts.clone(), sum);
  }
}
