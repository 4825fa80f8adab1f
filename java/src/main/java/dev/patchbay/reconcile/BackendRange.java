// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.reconcile;

import dev.patchbay.table.ServiceWord;

/**
 * Consecutive rows of {@code backends}.
 *
 * @param base first row, 0 or more
 * @param count number of rows, 0 or more
 */
public record BackendRange(int base, int count) {
  public static final BackendRange EMPTY = new BackendRange(0, 0);

  public BackendRange {
    if (base < 0 || count < 0 || base + count < 0) {
      throw new IllegalArgumentException("range of " + count + " rows at " + base);
    }
  }

  /** The rows that a word names. */
  public static BackendRange of(ServiceWord word) {
    return word.count() == 0 ? EMPTY : new BackendRange(word.base(), word.count());
  }

  public boolean isEmpty() {
    return count == 0;
  }

  /** The row after the last. */
  public int end() {
    return base + count;
  }

  /** {@code [base, end)}. */
  @Override
  public String toString() {
    return "[" + base + ", " + end() + ")";
  }
}
