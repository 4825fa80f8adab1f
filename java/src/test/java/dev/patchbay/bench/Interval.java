// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench;

/**
 * A range of values.
 *
 * @param low its lower end
 * @param high its upper end, not below {@code low}
 */
public record Interval(double low, double high) {
  /** Checks the order of its ends. */
  public Interval {
    if (!(low <= high)) {
      throw new IllegalArgumentException("not an interval: " + low + " to " + high);
    }
  }

  /** Whether a value lies in it; its ends do. */
  public boolean contains(double value) {
    return low <= value && value <= high;
  }

  /** Half its length. */
  public double radius() {
    return (high - low) / 2;
  }
}
