// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.metrics;

import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * Lets a limited number of things have counters of their own and sums up those of all others, group
 * by group, in counters that never go back while the others are there.
 *
 * <p>Who comes first keeps its place until it goes. Who was summed up with others stays with them,
 * since to leave would take something away from their sum. For one thread.
 *
 * @param <K> what is counted
 */
final class Limited<K extends Comparable<K>> {
  /**
   * Counters of others.
   *
   * @param grown what they amount to, those included that are gone: for counters
   * @param now the sum over those that are there now: for differences of counters
   */
  record Sums(Counts grown, Counts now) {}

  /** Counters of one thing, added up in place. */
  static final class Counts {
    private final long[] values;

    Counts(int length) {
      values = new long[length];
    }

    long get(int index) {
      return values[index];
    }

    void add(int index, long value) {
      values[index] += value;
    }

    void add(Counts other) {
      for (int i = 0; i < values.length; i++) {
        values[i] += other.values[i];
      }
    }

    /** Adds by what {@code now} is more than {@code before}; a counter may have begun anew. */
    void addGrowth(Counts before, Counts now) {
      for (int i = 0; i < values.length; i++) {
        long grown = now.values[i] - before.values[i];
        values[i] += grown < 0 ? now.values[i] : grown;
      }
    }
  }

  private final int limit;
  private final int length;
  private final Function<K, String> group;
  private final Set<K> named = new HashSet<>();

  /** The others, with what they had when they were last looked at. */
  private final Map<K, Counts> others = new HashMap<>();

  private final Map<String, Counts> grown = new TreeMap<>();
  private Map<String, Sums> sums = Map.of();

  /**
   * Nothing was counted yet.
   *
   * @param limit how many may have counters of their own; 0 or more
   * @param length how many counters each has
   * @param group with whom others are summed up
   */
  Limited(int limit, int length, Function<K, String> group) {
    this.limit = limit;
    this.length = length;
    this.group = group;
  }

  /**
   * Takes the counters of all that there are now.
   *
   * @return those that have counters of their own
   */
  Map<K, Counts> take(SortedMap<K, Counts> all) {
    named.retainAll(all.keySet());
    others.keySet().retainAll(all.keySet());
    Map<K, Counts> own = new LinkedHashMap<>();
    Map<String, Counts> now = new TreeMap<>();
    all.forEach(
        (key, counts) -> {
          if (named.contains(key)) {
            own.put(key, counts);
            return;
          }
          Counts before = others.get(key);
          if (before == null && named.size() < limit) {
            named.add(key);
            own.put(key, counts);
            return;
          }
          String of = group.apply(key);
          grown
              .computeIfAbsent(of, _ -> new Counts(length))
              .addGrowth(before == null ? new Counts(length) : before, counts);
          now.computeIfAbsent(of, _ -> new Counts(length)).add(counts);
          others.put(key, counts);
        });
    Map<String, Sums> after = new TreeMap<>();
    grown.forEach(
        (of, counts) -> after.put(of, new Sums(counts, now.getOrDefault(of, new Counts(length)))));
    sums = after;
    return own;
  }

  /** The sums of the others, by group; a group without others is not there. */
  Map<String, Sums> others() {
    return sums;
  }
}
