// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench.dataplane;

import dev.patchbay.bench.Bench;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.HdrHistogram.Histogram;

/**
 * Contestants that are measured in turns: each gets a slice in each round, in an order that is
 * drawn anew. What disturbs the machine for longer than a slice disturbs all of them.
 */
final class Race {
  private static final long MOST_NANOS = 60_000_000_000L;
  private static final int DIGITS = 3;

  /** What one contestant did in one run: a number per round. */
  static final class Laps {
    final List<Double> cost = new ArrayList<>();
    final List<Double> cpu = new ArrayList<>();
    final Histogram latency = new Histogram(MOST_NANOS, DIGITS);
    long operations;
    long errors;

    void add(Slice slice) {
      cost.add(slice.cost());
      cpu.add(slice.cpu());
      operations += slice.operations();
      errors += slice.errors();
      for (long nanos : slice.latencies()) {
        latency.recordValue(Math.min(nanos, MOST_NANOS));
      }
    }
  }

  private final Map<String, List<Laps>> runs = new LinkedHashMap<>();
  private final Map<String, Contestant> contestants = new LinkedHashMap<>();

  private Race() {}

  /**
   * Holds one.
   *
   * @param limit after which no further run begins, if there were three
   */
  static Race hold(
      Bench bench,
      String name,
      Kind kind,
      List<Contestant> contestants,
      int rounds,
      int runs,
      Duration limit) {
    Race race = new Race();
    for (Contestant contestant : contestants) {
      if (race.contestants.put(contestant.key(), contestant) != null) {
        throw new IllegalArgumentException("two contestants " + contestant.key());
      }
      race.runs.put(contestant.key(), new ArrayList<>());
    }
    Random random = Random.from(bench.random(name));
    long start = System.nanoTime();
    for (int run = 0; run < runs; run++) {
      if (run >= 3 && System.nanoTime() - start > limit.toNanos()) {
        bench.results().remark("%s: %d of %d runs fit the time".formatted(name, run, runs));
        break;
      }
      race.run(kind, rounds, random);
    }
    return race;
  }

  private void run(Kind kind, int rounds, Random random) {
    List<Contestant> order = new ArrayList<>(contestants.values());
    Map<String, Laps> laps = new LinkedHashMap<>();
    // A round that does not count: neighbours are looked up, caches filled.
    for (Contestant contestant : order) {
      slice(kind, contestant, random);
      laps.put(contestant.key(), new Laps());
    }
    for (int round = 0; round < rounds; round++) {
      Collections.shuffle(order, random);
      for (Contestant contestant : order) {
        Laps of = laps.get(contestant.key());
        if (of != null) {
          of.add(slice(kind, contestant, random));
        }
      }
    }
    laps.forEach((key, of) -> runs(key).add(of));
  }

  private static Slice slice(Kind kind, Contestant contestant, Random random) {
    try {
      return contestant
          .generator()
          .slice(kind, contestant.targets(), kind.slice(), random.nextLong());
    } catch (IllegalStateException e) {
      throw new IllegalStateException(contestant.key() + ": " + e.getMessage(), e);
    }
  }

  /** Those who took part. */
  List<Contestant> contestants() {
    return List.copyOf(contestants.values());
  }

  /** Whether one took part. */
  boolean has(String key) {
    return contestants.containsKey(key);
  }

  /** One of them. */
  Contestant contestant(String key) {
    Contestant found = contestants.get(key);
    if (found == null) {
      throw new IllegalArgumentException("no contestant " + key);
    }
    return found;
  }

  /** What one did, by run. */
  List<Laps> runs(String key) {
    List<Laps> found = runs.get(key);
    if (found == null) {
      throw new IllegalArgumentException("no contestant " + key);
    }
    return found;
  }
}
