// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench;

import java.util.OptionalDouble;

/**
 * A number that is to be reached.
 *
 * @param id its name, for example {@code D1}; several goals may share one
 * @param measure what is measured, in a few words
 * @param against what it is compared with; empty: nothing
 * @param bound on which side of the number it has to be
 * @param gate what every release has to reach
 * @param moonshot what is aimed at, if that is more
 */
public record Goal(
    String id, String measure, String against, Bound bound, double gate, OptionalDouble moonshot) {

  /** On which side of a number. */
  public enum Bound {
    /** Less is better. */
    AT_MOST("≤"),
    /** More is better. */
    AT_LEAST("≥");

    private final String sign;

    Bound(String sign) {
      this.sign = sign;
    }

    /** As it is written. */
    public String sign() {
      return sign;
    }

    boolean holds(double value, double limit) {
      return this == AT_MOST ? value <= limit : value >= limit;
    }
  }

  /** A goal below which to stay. */
  public static Goal atMost(
      String id, String measure, String against, double gate, double moonshot) {
    return new Goal(id, measure, against, Bound.AT_MOST, gate, OptionalDouble.of(moonshot));
  }

  /** A goal below which to stay, without a higher aim. */
  public static Goal atMost(String id, String measure, String against, double gate) {
    return new Goal(id, measure, against, Bound.AT_MOST, gate, OptionalDouble.empty());
  }

  /** A goal to exceed. */
  public static Goal atLeast(
      String id, String measure, String against, double gate, double moonshot) {
    return new Goal(id, measure, against, Bound.AT_LEAST, gate, OptionalDouble.of(moonshot));
  }

  /** A goal to exceed, without a higher aim. */
  public static Goal atLeast(String id, String measure, String against, double gate) {
    return new Goal(id, measure, against, Bound.AT_LEAST, gate, OptionalDouble.empty());
  }

  /** What a figure means for it; never {@link Verdict#VOID}. */
  public Verdict judge(Figure figure) {
    if (Double.isNaN(figure.value())) {
      return Verdict.NOT_MEASURED;
    }
    if (!bound.holds(figure.value(), gate)) {
      return Verdict.MISSED;
    }
    return moonshot.isPresent() && bound.holds(figure.value(), moonshot.getAsDouble())
        ? Verdict.MOONSHOT
        : Verdict.MET;
  }
}
