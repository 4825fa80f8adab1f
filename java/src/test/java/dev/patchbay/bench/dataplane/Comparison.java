// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench.dataplane;

import dev.patchbay.bench.Figure;
import dev.patchbay.bench.Statistics;
import dev.patchbay.bench.dataplane.Race.Laps;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.random.RandomGenerator;

/**
 * One contestant divided by another. Costs are divided round by round, since both were measured in
 * the same moment there; the figure is the median over rounds, then over runs.
 */
final class Comparison {
  private final List<Laps> ours;
  private final List<Laps> theirs;
  private final RandomGenerator random;

  /**
   * Compares.
   *
   * @param ours by run
   * @param theirs by run; in each as many rounds, and those at the same moments
   */
  Comparison(List<Laps> ours, List<Laps> theirs, RandomGenerator random) {
    this.ours = ours;
    this.theirs = theirs;
    this.random = random;
  }

  /** Time per operation. */
  Figure cost() {
    return byRound(laps -> laps.cost);
  }

  /** Operations in a time. */
  Figure rate() {
    List<List<Double>> runs =
        ratios(laps -> laps.cost).stream()
            .map(run -> run.stream().map(ratio -> 1 / ratio).toList())
            .toList();
    return figure(runs);
  }

  /** Processor time per operation, of both ends. */
  Figure cpu() {
    return byRound(laps -> laps.cpu);
  }

  /** A percentile of the latencies, run by run. */
  Figure latency(double percentile) {
    ToDoubleFunction<Laps> value = laps -> laps.latency.getValueAtPercentile(percentile);
    List<List<Double>> runs = new ArrayList<>();
    long samples = 0;
    for (int run = 0; run < ours.size(); run++) {
      runs.add(List.of(value.applyAsDouble(ours.get(run)) / value.applyAsDouble(theirs.get(run))));
      samples += ours.get(run).latency.getTotalCount();
    }
    return Figure.of(runs.stream().map(List::getFirst).toList(), samples)
        .with(Statistics.confidence(runs, random));
  }

  private Figure byRound(Function<Laps, List<Double>> values) {
    return figure(ratios(values));
  }

  private List<List<Double>> ratios(Function<Laps, List<Double>> values) {
    List<List<Double>> runs = new ArrayList<>();
    for (int run = 0; run < ours.size(); run++) {
      List<Double> our = values.apply(ours.get(run));
      List<Double> their = values.apply(theirs.get(run));
      List<Double> rounds = new ArrayList<>();
      for (int round = 0; round < our.size(); round++) {
        rounds.add(our.get(round) / their.get(round));
      }
      runs.add(rounds);
    }
    return runs;
  }

  private Figure figure(List<List<Double>> runs) {
    long samples = ours.stream().mapToLong(laps -> laps.operations).sum();
    return Figure.of(runs.stream().map(Statistics::median).toList(), samples)
        .with(Statistics.confidence(runs, random));
  }
}
