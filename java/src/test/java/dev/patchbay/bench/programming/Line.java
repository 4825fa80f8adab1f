// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench.programming;

import dev.patchbay.bench.Statistics;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * A line of a program that measures: {@code NAME KEY=NUMBER KEY=NUMBER ...}.
 *
 * @param name what was measured
 * @param numbers what came out
 */
record Line(String name, Map<String, Double> numbers) {
  Line {
    numbers = Map.copyOf(numbers);
  }

  /** The lines of an output that have this form; others are passed over. */
  static List<Line> parse(String text) {
    List<Line> lines = new ArrayList<>();
    for (String line : text.lines().toList()) {
      String[] words = line.strip().split(" +", -1);
      Map<String, Double> numbers = new TreeMap<>();
      for (int i = 1; i < words.length; i++) {
        int at = words[i].indexOf('=');
        if (at > 0) {
          numbers.put(words[i].substring(0, at), Double.valueOf(words[i].substring(at + 1)));
        }
      }
      if (numbers.size() == words.length - 1 && !numbers.isEmpty()) {
        lines.add(new Line(words[0], numbers));
      }
    }
    return lines;
  }

  /** The values of one number in the lines with a name, in their order; none is an error. */
  static List<Double> values(List<Line> lines, String name, String number) {
    List<Double> values =
        lines.stream()
            .filter(line -> line.name.equals(name))
            .map(line -> line.number(number))
            .toList();
    if (values.isEmpty()) {
      throw new IllegalArgumentException("no line " + name + " in " + lines);
    }
    return values;
  }

  /** One of its numbers. */
  double number(String key) {
    Double number = numbers.get(key);
    if (number == null) {
      throw new IllegalArgumentException("no " + key + " in " + this);
    }
    return number;
  }

  /** Prints what times come to, in microseconds. */
  static void print(String name, List<Long> nanos) {
    List<Double> micros = nanos.stream().map(n -> n / 1e3).toList();
    System.out.printf(
        Locale.ROOT,
        "%s count=%d p50_us=%.3f p99_us=%.3f max_us=%.3f sum_us=%.3f%n",
        name,
        nanos.size(),
        Statistics.percentile(micros, 50),
        Statistics.percentile(micros, 99),
        Statistics.percentile(micros, 100),
        micros.stream().mapToDouble(Double::doubleValue).sum());
  }
}
