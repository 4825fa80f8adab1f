// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.testkit;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Reads Prometheus' text format, strictly: a line that is none of it is an error. */
public final class PrometheusText {
  private static final Pattern SAMPLE =
      Pattern.compile("([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\\{(.*)})? (\\S+)");
  private static final Pattern LABEL =
      Pattern.compile("([a-zA-Z_][a-zA-Z0-9_]*)=\"((?:[^\"\\\\]|\\\\.)*)\"(?:,|$)");

  /** A line with a value. */
  public record Sample(String name, Map<String, String> labels, double value) {}

  /** What belongs together. */
  public static final class Family {
    private final String type;
    private final String help;
    private final List<Sample> samples = new ArrayList<>();

    private Family(String type, String help) {
      this.type = type;
      this.help = help;
    }

    public String type() {
      return type;
    }

    public String help() {
      return help;
    }

    public List<Sample> samples() {
      return samples;
    }

    /** Names of labels, {@code le} of histograms left out. */
    public Set<String> labels() {
      return samples.stream()
          .flatMap(sample -> sample.labels().keySet().stream())
          .filter(label -> !label.equals("le"))
          .collect(Collectors.toCollection(TreeSet::new));
    }

    /** Upper bounds of a histogram, as they are written. */
    public Set<Double> bounds() {
      return samples.stream()
          .filter(sample -> sample.labels().containsKey("le"))
          .map(sample -> number(String.valueOf(sample.labels().get("le"))))
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  private final Map<String, Family> families = new TreeMap<>();

  private PrometheusText() {}

  /**
   * Reads a text.
   *
   * @throws IllegalArgumentException if it is malformed
   */
  public static PrometheusText parse(String text) {
    PrometheusText parsed = new PrometheusText();
    String help = "";
    for (String line : text.lines().toList()) {
      if (line.startsWith("# HELP ")) {
        help = line.substring(7);
      } else if (line.startsWith("# TYPE ")) {
        String[] words = line.substring(7).split(" ", -1);
        String name = words[0];
        Family family =
            new Family(
                words[1], help.startsWith(name + " ") ? help.substring(name.length() + 1) : "");
        if (words.length != 2 || parsed.families.put(name, family) != null) {
          throw new IllegalArgumentException(line);
        }
      } else if (!line.isEmpty() && !line.startsWith("#")) {
        parsed.sample(line);
      }
    }
    return parsed;
  }

  private void sample(String line) {
    Matcher matcher = SAMPLE.matcher(line);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(line);
    }
    Map<String, String> labels = new LinkedHashMap<>();
    if (matcher.group(2) != null) {
      Matcher label = LABEL.matcher(matcher.group(2));
      int at = 0;
      while (label.find()) {
        if (label.start() != at || labels.put(label.group(1), label.group(2)) != null) {
          throw new IllegalArgumentException(line);
        }
        at = label.end();
      }
      if (at != matcher.group(2).length()) {
        throw new IllegalArgumentException(line);
      }
    }
    String name = matcher.group(1);
    Family family = families.get(name);
    if (family == null) {
      family = families.get(name.replaceFirst("_(bucket|count|sum)$", ""));
    }
    if (family == null) {
      throw new IllegalArgumentException("no type: " + line);
    }
    family.samples().add(new Sample(name, labels, number(matcher.group(3))));
  }

  private static double number(String text) {
    return switch (text) {
      case "+Inf" -> Double.POSITIVE_INFINITY;
      case "-Inf" -> Double.NEGATIVE_INFINITY;
      default -> Double.parseDouble(text);
    };
  }

  /** All families by name. */
  public Map<String, Family> families() {
    return families;
  }

  /** The family of a name. */
  public Family family(String name) {
    Family family = families.get(name);
    if (family == null) {
      throw new AssertionError("no " + name + " among " + families.keySet());
    }
    return family;
  }

  /** The sum of all samples of exactly this name that have these labels, and maybe others. */
  public double sum(String name, Map<String, String> labels) {
    String of = families.containsKey(name) ? name : name.replaceFirst("_(bucket|count|sum)$", "");
    return family(of).samples().stream()
        .filter(sample -> sample.name().equals(name))
        .filter(sample -> sample.labels().entrySet().containsAll(labels.entrySet()))
        .mapToDouble(Sample::value)
        .sum();
  }

  /** The sum of all samples of exactly this name. */
  public double sum(String name) {
    return sum(name, Map.of());
  }
}
