// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench.programming;

import dev.patchbay.bench.Bench;
import dev.patchbay.bench.Chart;
import dev.patchbay.bench.Figure;
import dev.patchbay.bench.Goal;
import dev.patchbay.bench.Headline;
import dev.patchbay.bench.Peer;
import dev.patchbay.bench.Row;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Puts figures into the results, and finds those that are there. For one thread. */
final class Rows {
  private final Bench bench;
  private final String group;

  Rows(Bench bench, String group) {
    this.bench = bench;
    this.group = group;
  }

  /**
   * The key of a row: the same in each run.
   *
   * @param measure a word or two, with dashes
   * @param services how many there were
   */
  static String key(String measure, int services, Peer peer) {
    return "programming/%s/%d/%s"
        .formatted(measure, services, peer.name().toLowerCase(Locale.ROOT).replace('_', '-'));
  }

  /** A row; more can be said of it, and it has to be {@link #add}ed. */
  Row row(
      String measure,
      String title,
      int services,
      Peer peer,
      String unit,
      Collection<Double> runs,
      long samples) {
    return Row.of(
            key(measure, services, peer),
            group,
            title,
            peer,
            unit,
            Figure.of(List.copyOf(runs), Math.max(samples, runs.size())))
        .services(services);
  }

  /** A row that has no figure. */
  Row missing(String measure, String title, int services, Peer peer, String unit, String why) {
    return Row.missing(key(measure, services, peer), group, title, peer, unit, why)
        .services(services);
  }

  /** Adds it to the results. */
  void add(Row row) {
    bench.results().add(row);
    bench.say(
        String.format(
            Locale.ROOT,
            "%s: %s %s%s",
            row.key(),
            row.figure().map(f -> "%.4g".formatted(f.value())).orElse("-"),
            row.unit(),
            row.goal().isPresent() ? " (" + row.verdict().title() + ")" : ""));
  }

  /** A ratio of two rows in the same unit, if both have a figure. */
  void ratio(String measure, String title, int services, Row of, Optional<Row> to, Goal goal) {
    String key = measure;
    Optional<Figure> divided = of.figure();
    Optional<Figure> divisor = to.flatMap(Row::figure);
    if (divided.isEmpty() || divisor.isEmpty() || divisor.get().value() == 0) {
      add(
          missing(key, title, services, of.peer(), Row.RATIO, "there is nothing to divide by")
              .against(goal.against())
              .goal(goal));
      return;
    }
    if (!of.unit().equals(to.get().unit())) {
      throw new IllegalArgumentException(of + " and " + to.get() + " have other units");
    }
    // A goal of "times faster" divides the peer's by ours.
    boolean inverse = goal.bound() == Goal.Bound.AT_LEAST && !measure.startsWith("rate-");
    Figure above = inverse ? divisor.get() : divided.get();
    Figure below = inverse ? divided.get() : divisor.get();
    List<Double> runs =
        List.of(
            above.value() / below.value(), above.low() / below.high(), above.high() / below.low());
    add(
        row(key, title, services, of.peer(), Row.RATIO, runs, above.samples())
            .against(goal.against())
            .goal(goal)
            .note("lowest and highest: of the extremes of both sides"));
  }

  /** A row that was added before. */
  Optional<Row> find(String measure, int services, Peer peer) {
    String key = key(measure, services, peer);
    return bench.results().rows().stream().filter(row -> row.key().equals(key)).findFirst();
  }

  /**
   * A line of the README's table, of what was found with so many Services; none without figures.
   */
  void headline(String measure, int services) {
    Map<Peer, Figure> figures = new EnumMap<>(Peer.class);
    Optional<Row> any = Optional.empty();
    for (Peer peer : List.of(Peer.PATCHBAY, Peer.NFTABLES, Peer.IPTABLES)) {
      Optional<Row> row = find(measure, services, peer).filter(found -> found.figure().isPresent());
      row.flatMap(Row::figure).ifPresent(figure -> figures.put(peer, figure));
      any = any.or(() -> row);
    }
    any.ifPresent(
        row ->
            bench
                .results()
                .add(
                    new Headline(
                        "%,d Services of 10 endpoints: %s".formatted(services, row.measure()),
                        row.unit(),
                        figures)));
  }

  /** How a measure grows with the number of Services: a line per peer that has two rows or more. */
  void growth(String measure, String title, String unit) {
    List<Chart.Line> lines = new ArrayList<>();
    for (Peer peer : Peer.values()) {
      TreeMap<Integer, Figure> points = new TreeMap<>();
      for (Row row : bench.results().rows()) {
        int services = row.services().orElse(0);
        if (services > 0
            && row.key().equals(key(measure, services, peer))
            && row.figure().isPresent()
            && row.figure().get().low() > 0) {
          points.put(services, row.figure().get());
        }
      }
      if (points.size() > 1) {
        lines.add(
            new Chart.Line(
                peer,
                peer.title(),
                points.entrySet().stream()
                    .map(entry -> Chart.Point.of(entry.getKey(), entry.getValue()))
                    .toList()));
      }
    }
    if (!lines.isEmpty()) {
      bench
          .results()
          .add(
              new Chart.Lines(
                  "programming-" + measure,
                  title,
                  "Services of 10 endpoints",
                  unit,
                  true,
                  true,
                  lines));
    }
  }
}
