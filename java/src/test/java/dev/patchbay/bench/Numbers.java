// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench;

import java.util.Locale;

/** Numbers as people read them: digits that mean something, and thousands apart. */
final class Numbers {
  private Numbers() {}

  /** A value in a unit; ratios get a digit more, since that is where their news is. */
  static String format(double value, String unit) {
    if (!Double.isFinite(value)) {
      return "–";
    }
    if (unit.equals(Row.RATIO)) {
      double size = Math.abs(value);
      return format(value, size < 2 ? 3 : size < 10 ? 2 : size < 100 ? 1 : 0);
    }
    double size = Math.abs(value);
    return format(value, size < 1 ? 3 : size < 10 ? 2 : size < 100 ? 1 : 0);
  }

  private static String format(double value, int digits) {
    return String.format(Locale.ROOT, "%,." + digits + "f", value);
  }

  /** A number that somebody chose, such as a goal. */
  static String plain(double value) {
    return value == Math.rint(value)
        ? String.format(Locale.ROOT, "%,.0f", value)
        : Double.toString(value);
  }

  /** A unit as a suffix: nothing for ratios. */
  static String suffix(String unit) {
    return unit.equals(Row.RATIO) || unit.isEmpty() ? "" : " " + unit;
  }
}
