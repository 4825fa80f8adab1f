// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.reconcile;

import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The rows of {@code backends} that may be written: best fit, the lowest of equal ones, neighbours
 * merged. Every operation is O(log n) in the number of pieces. Not thread-safe.
 */
final class FreeRanges {
  /** A base is below 2^24, so length and base order pieces as one number. */
  private static final int BASE_BITS = 24;

  private final TreeMap<Integer, Integer> lengthByBase = new TreeMap<>();
  private final TreeSet<Long> byLength = new TreeSet<>();
  private int rows;

  /** How many rows are free, in however many pieces. */
  int rows() {
    return rows;
  }

  /** Takes {@code count} consecutive rows, 1 or more; empty if no piece is that long. */
  Optional<BackendRange> take(int count) {
    Long found = byLength.ceiling((long) count << BASE_BITS);
    if (found == null) {
      return Optional.empty();
    }
    int base = (int) (found & ((1 << BASE_BITS) - 1));
    int length = (int) (found >>> BASE_BITS);
    remove(base, length);
    if (length > count) {
      add(base + count, length - count);
    }
    return Optional.of(new BackendRange(base, count));
  }

  /**
   * Gives rows back.
   *
   * @throws IllegalStateException if one of them is free already
   */
  void give(BackendRange range) {
    if (range.isEmpty()) {
      return;
    }
    Map.Entry<Integer, Integer> before = lengthByBase.floorEntry(range.end() - 1);
    if (before != null && before.getKey() + before.getValue() > range.base()) {
      throw new IllegalStateException(
          range + " is given back, but rows are free from " + before.getKey());
    }
    int base = range.base();
    int length = range.count();
    if (before != null && before.getKey() + before.getValue() == base) {
      remove(before.getKey(), before.getValue());
      base = before.getKey();
      length += before.getValue();
    }
    Integer after = lengthByBase.get(range.end());
    if (after != null) {
      remove(range.end(), after);
      length += after;
    }
    add(base, length);
  }

  private void add(int base, int length) {
    lengthByBase.put(base, length);
    byLength.add((long) length << BASE_BITS | base);
    rows += length;
  }

  private void remove(int base, int length) {
    lengthByBase.remove(base);
    byLength.remove((long) length << BASE_BITS | base);
    rows -= length;
  }
}
