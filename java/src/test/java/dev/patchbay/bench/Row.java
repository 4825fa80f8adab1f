// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A line of the report.
 *
 * @param key unique among all rows and the same in each run, for example {@code
 *     crr/pod/same/ipv4/10000/fixed/patchbay}
 * @param group under which heading it stands
 * @param measure what was measured, for people
 * @param peer what was measured it on
 * @param against what the figure is divided by; empty: it stands for itself
 * @param services how many Services there were, if that matters
 * @param subject what else tells it from other rows of the same measure and peer, for people
 * @param unit of the figure, {@code x} for a ratio
 * @param figure what came out; empty: nothing, and the notes say why
 * @param goal what ought to come out, if that is known
 * @param valid whether the series that it is from may be believed
 * @param notes what has to be known to read it right, warnings among them
 */
public record Row(
    String key,
    String group,
    String measure,
    Peer peer,
    String against,
    OptionalInt services,
    String subject,
    String unit,
    Optional<Figure> figure,
    Optional<Goal> goal,
    boolean valid,
    List<String> notes) {
  /** The unit of ratios. */
  public static final String RATIO = "x";

  /** Half a confidence interval above this part of its figure makes the figure meaningless. */
  private static final double NOISE = 0.1;

  /** Copies the notes. */
  public Row {
    notes = List.copyOf(notes);
  }

  /** A row with a figure, of which all else may be added. */
  public static Row of(
      String key, String group, String measure, Peer peer, String unit, Figure figure) {
    return bare(key, group, measure, peer, unit, Optional.of(figure), List.of());
  }

  /** A row that has no figure. */
  public static Row missing(
      String key, String group, String measure, Peer peer, String unit, String why) {
    return bare(key, group, measure, peer, unit, Optional.empty(), List.of(why));
  }

  private static Row bare(
      String key,
      String group,
      String measure,
      Peer peer,
      String unit,
      Optional<Figure> figure,
      List<String> notes) {
    return new Row(
        key,
        group,
        measure,
        peer,
        "",
        OptionalInt.empty(),
        "",
        unit,
        figure,
        Optional.empty(),
        true,
        notes);
  }

  /** With what the figure is divided by. */
  public Row against(String other) {
    return with(other, services, subject, goal, valid, notes);
  }

  /** With a number of Services. */
  public Row services(int count) {
    return with(against, OptionalInt.of(count), subject, goal, valid, notes);
  }

  /** With what else tells it from others. */
  public Row subject(String text) {
    return with(against, services, text, goal, valid, notes);
  }

  /** With a goal. */
  public Row goal(Goal aim) {
    return with(against, services, subject, Optional.of(aim), valid, notes);
  }

  /** Of a series that may not be believed. */
  public Row invalid(String why) {
    return with(against, services, subject, goal, false, note(why).notes);
  }

  /** With one more note. */
  public Row note(String text) {
    List<String> more = new ArrayList<>(notes);
    more.add(text);
    return with(against, services, subject, goal, valid, more);
  }

  private Row with(
      String other,
      OptionalInt count,
      String text,
      Optional<Goal> aim,
      boolean believed,
      List<String> remarks) {
    return new Row(
        key, group, measure, peer, other, count, text, unit, figure, aim, believed, remarks);
  }

  /** Whether its goal was reached. */
  public Verdict verdict() {
    if (goal.isEmpty()) {
      return valid ? Verdict.NONE : Verdict.VOID;
    }
    if (figure.isEmpty()) {
      return Verdict.NOT_MEASURED;
    }
    return valid ? goal.get().judge(figure.get()) : Verdict.VOID;
  }

  /** What noise did to it, if it did. */
  public Optional<String> warning() {
    if (figure.isEmpty()) {
      return Optional.empty();
    }
    Optional<Interval> confidence = figure.get().confidence();
    if (confidence.isEmpty()) {
      return Optional.empty();
    }
    if (confidence.get().radius() > NOISE * Math.abs(figure.get().value())) {
      return Optional.of("too noisy to mean anything");
    }
    return goal.map(Goal::gate)
        .filter(confidence.get()::contains)
        .map(gate -> "the gate lies within the confidence interval");
  }
}
