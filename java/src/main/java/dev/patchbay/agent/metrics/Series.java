// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.metrics;

import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Lets a limited number of things have counters of their own and sums up those of all others, group
 * by group, in counters that never go back.
 *
 * <p>A thing has a label by which it is told, and the entries that are counted for it have ids:
 * several with one label are added up. Who comes first keeps its place until it goes. Who was
 * summed up with others stays with them, since to leave would take something away from their sum.
 *
 * <p>Keeps what it needs over collections and makes little that lives as long as one, because there
 * may be tens of thousands of ids. For one thread.
 *
 * @param <I> an id
 * @param <L> a label
 */
final class Series<I, L extends Comparable<L>> {
  /** Of ids that went, the last counts of so many are remembered: they may come back. */
  private static final int DEPARTED = 10_000;

  /** A thing. */
  private final class Place {
    /** Its counters; null if it is one of the others. */
    final long @Nullable [] own;

    int ids;

    Place(boolean own) {
      this.own = own ? new long[length] : null;
    }
  }

  /** What is known of an id. */
  private final class Known {
    final L label;
    final Place place;

    /** What was counted when it was seen last; for others. */
    final long[] last;

    Known(L label, Place place, long[] last) {
      this.label = label;
      this.place = place;
      this.last = last;
    }
  }

  /**
   * Counters of others.
   *
   * @param grown what they amount to, those included that are gone: for counters
   * @param now the sum over those that are there: for differences of counters
   */
  @SuppressWarnings("ArrayRecordComponent") // read in place, by one caller
  record Sums(long[] grown, long[] now) {}

  private final int limit;
  private final int length;
  private final Function<L, String> group;
  private final Map<I, Known> known = new HashMap<>();
  private final TreeMap<L, Place> places = new TreeMap<>();
  private final TreeMap<String, Sums> others = new TreeMap<>();
  private final Map<I, long[]> departed =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<I, long[]> eldest) {
          return size() > DEPARTED;
        }
      };

  private int owners;

  /**
   * Nothing was counted yet.
   *
   * @param limit how many may have counters of their own; 0 or more
   * @param length how many counters each has
   * @param group with whom others are summed up
   */
  Series(int limit, int length, Function<L, String> group) {
    this.limit = limit;
    this.length = length;
    this.group = group;
  }

  /** Forgets those whose label does not pass. */
  void retain(Predicate<L> passes) {
    known
        .entrySet()
        .removeIf(
            entry -> {
              Known one = entry.getValue();
              if (passes.test(one.label)) {
                return false;
              }
              one.place.ids--;
              if (one.place.own == null) {
                departed.put(entry.getKey(), one.last);
              }
              if (one.place.ids == 0) {
                places.remove(one.label);
                owners -= one.place.own == null ? 0 : 1;
              }
              return true;
            });
  }

  /** Whether the label of an id is known. */
  boolean knows(I id) {
    return known.containsKey(id);
  }

  /** The label of an id; null if it is not known. */
  @Nullable L label(I id) {
    Known one = known.get(id);
    return one == null ? null : one.label;
  }

  /** Says what the label of an id is. */
  void name(I id, L label) {
    Place place = places.get(label);
    if (place == null) {
      place = new Place(owners < limit);
      owners += place.own == null ? 0 : 1;
      places.put(label, place);
    }
    place.ids++;
    long[] last = new long[0];
    if (place.own == null) {
      last = departed.remove(id);
      last = last == null ? new long[length] : last;
    }
    known.put(id, new Known(label, place, last));
  }

  /** Begins to count anew. */
  void begin() {
    for (Place place : places.values()) {
      if (place.own != null) {
        Arrays.fill(place.own, 0);
      }
    }
    others.values().forEach(sums -> Arrays.fill(sums.now, 0));
  }

  /** Takes what is counted now for an id whose label is known. */
  void add(I id, long[] counts) {
    Known one = known.get(id);
    if (one == null) {
      throw new IllegalArgumentException("nobody named " + id);
    }
    if (one.place.own != null) {
      for (int i = 0; i < length; i++) {
        one.place.own[i] += counts[i];
      }
      return;
    }
    Sums sums =
        others.computeIfAbsent(
            group.apply(one.label), _ -> new Sums(new long[length], new long[length]));
    for (int i = 0; i < length; i++) {
      long grown = counts[i] - one.last[i];
      sums.grown[i] += grown < 0 ? counts[i] : grown; // a counter may have begun anew
      sums.now[i] += counts[i];
      one.last[i] = counts[i];
    }
  }

  /** Tells the counters of all that have their own, by their labels. */
  void own(BiConsumer<L, long[]> to) {
    places.forEach(
        (label, place) -> {
          if (place.own != null) {
            to.accept(label, place.own);
          }
        });
  }

  /** The sums of the others, by group; a group that never had any is not there. */
  Map<String, Sums> others() {
    return others;
  }
}
