// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Keeps things from being said again and again: the same thing once in a period, and then with how
 * often it was not said. Not thread-safe.
 *
 * @param <K> what is said, by {@code equals}
 */
final class Repeats<K> {
  /** More different things than this are forgotten, the oldest first, and said again. */
  private static final int MOST = 1000;

  private final long periodNanos;
  private final Map<K, Said> said = new LinkedHashMap<>();

  private static final class Said {
    private final long at;
    private int unsaid;

    Said(long at) {
      this.at = at;
    }
  }

  Repeats(Duration period) {
    periodNanos = period.toNanos();
  }

  /**
   * Whether to say something now.
   *
   * @param now in nanoseconds, of {@link System#nanoTime}
   * @return how often it was not said since it was last; empty if it is not to be said now either
   */
  OptionalInt say(K what, long now) {
    Said before = said.get(what);
    if (before != null && now - before.at < periodNanos) {
      before.unsaid++;
      return OptionalInt.empty();
    }
    said.remove(what);
    said.put(what, new Said(now));
    if (said.size() > MOST) {
      said.remove(said.keySet().iterator().next());
    }
    return OptionalInt.of(before == null ? 0 : before.unsaid);
  }
}
