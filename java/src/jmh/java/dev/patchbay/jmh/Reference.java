// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.jmh;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;

/**
 * Runs all benchmarks with the JVM options of the agent, then once more with the optimising
 * compiler, and replaces the results in a Markdown document: what is between the two comments there
 * that say so. The first argument names the document, the others are JMH's.
 */
final class Reference {
  private static final String BEGIN = "<!-- results: written by make jmh-reference -->\n";
  private static final String END = "<!-- end of results -->\n";
  private static final String ALLOCATION = "gc.alloc.rate.norm";

  private Reference() {}

  /**
   * A row of the table.
   *
   * @param name of the class and the method
   * @param parameters names with values, empty if there are none
   */
  private record Row(String name, String parameters) implements Comparable<Row> {
    static Row of(BenchmarkParams params) {
      String parameters =
          params.getParamsKeys().stream()
              .map(key -> key + "=" + params.getParam(key))
              .collect(Collectors.joining(", "));
      String[] words = params.getBenchmark().split("\\.", -1);
      String name = words[words.length - 2].replaceFirst("Benchmark$", "");
      return new Row(name + "." + words[words.length - 1], parameters);
    }

    @Override
    public int compareTo(Row other) {
      return name.equals(other.name)
          ? inOrder(parameters).compareTo(inOrder(other.parameters))
          : name.compareTo(other.name);
    }

    /** Such that numbers are in their order. */
    private static String inOrder(String text) {
      return text.lines()
          .flatMap(line -> List.of(line.split("(?<=\\D)(?=\\d)|(?<=\\d)(?=\\D)", -1)).stream())
          .map(word -> word.matches("\\d+") ? "0".repeat(12 - word.length()) + word : word)
          .collect(Collectors.joining());
    }
  }

  public static void main(String[] args) throws Exception {
    Path document = Path.of(args[0]);
    String[] arguments = List.of(args).subList(1, args.length).toArray(String[]::new);
    String load = load();
    Map<Row, RunResult> asAgent = byRow(Benchmarks.run(arguments, Benchmarks.agentOptions()));
    Map<Row, RunResult> withC2 = byRow(Benchmarks.run(arguments, Benchmarks.agentOptionsWithC2()));
    String text = Files.readString(document);
    int from = text.indexOf(BEGIN);
    int to = text.indexOf(END);
    if (from < 0 || to < from) {
      throw new IOException(document + " does not say where results go");
    }
    String results = machine(load) + "\n" + table(asAgent, withC2) + "\n";
    Files.writeString(
        document, text.substring(0, from) + BEGIN + "\n" + results + text.substring(to));
  }

  private static Map<Row, RunResult> byRow(Collection<RunResult> results) {
    Map<Row, RunResult> rows = new TreeMap<>();
    results.forEach(result -> rows.put(Row.of(result.getParams()), result));
    return rows;
  }

  private static String table(Map<Row, RunResult> asAgent, Map<Row, RunResult> withC2) {
    StringBuilder table =
        new StringBuilder(
            """
            | benchmark | parameters | processor time | time | allocated | C2: processor time | time | allocated |
            |---|---|---:|---:|---:|---:|---:|---:|
            """);
    asAgent.forEach(
        (row, result) -> {
          RunResult other = withC2.get(row);
          table.append(
              "| `%s` | %s | %s | %s | %s | %s | %s | %s |%n"
                  .formatted(
                      row.name,
                      row.parameters,
                      processor(result),
                      best(result),
                      allocated(result),
                      processor(other),
                      best(other),
                      allocated(other)));
        });
    return table.toString();
  }

  /** Of the whole JVM, in the iteration that is in the middle. */
  private static String processor(@Nullable RunResult result) {
    Result<?> micros = result == null ? null : result.getSecondaryResults().get(CpuProfiler.MICROS);
    return micros == null ? "" : time(micros.getStatistics().getPercentile(50) * 1e3);
  }

  /** That passed, in the iteration that was disturbed least. */
  private static String best(@Nullable RunResult result) {
    return result == null
        ? ""
        : time(
            result.getPrimaryResult().getStatistics().getMin()
                * result.getParams().getTimeUnit().toNanos(1));
  }

  private static String time(double nanos) {
    if (nanos >= 1e6) {
      return figure(nanos / 1e6, "ms");
    }
    return nanos >= 1e3 ? figure(nanos / 1e3, "µs") : figure(nanos, "ns");
  }

  private static String figure(double score, String unit) {
    int digits = score >= 100 ? 0 : score >= 10 ? 1 : 2;
    return String.format(Locale.ROOT, "%." + digits + "f %s", score, unit);
  }

  private static String allocated(@Nullable RunResult result) {
    Result<?> bytes = result == null ? null : result.getSecondaryResults().get(ALLOCATION);
    if (bytes == null) {
      return "";
    }
    double count = bytes.getScore();
    if (count >= 10 << 20) {
      return String.format(Locale.ROOT, "%.1f MiB", count / (1 << 20));
    }
    return count >= 10 << 10
        ? String.format(Locale.ROOT, "%.1f KiB", count / (1 << 10))
        : String.format(Locale.ROOT, "%.0f B", count);
  }

  private static String machine(String load) throws IOException {
    List<String> lines = new ArrayList<>();
    lines.add("Run on " + LocalDate.now(ZoneOffset.UTC) + ".");
    lines.add("");
    lines.add("- kernel: Linux " + System.getProperty("os.version"));
    lines.add("- processors: " + Runtime.getRuntime().availableProcessors() + " of " + processor());
    lines.add(
        "- JDK: "
            + System.getProperty("java.vendor")
            + " "
            + System.getProperty("java.runtime.version"));
    lines.add("- JVM options of the agent: `" + String.join(" ", Benchmarks.agentOptions()) + "`");
    lines.add(
        "- load of the machine (1, 5, 15 minutes) before the run: "
            + load
            + "; one benchmark by itself makes 1");
    return String.join("\n", lines) + "\n";
  }

  private static String load() throws IOException {
    String[] words = Files.readString(Path.of("/proc/loadavg")).split(" ", 4);
    return words[0] + ", " + words[1] + ", " + words[2];
  }

  private static String processor() throws IOException {
    return Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
        .filter(line -> line.startsWith("model name"))
        .map(line -> line.substring(line.indexOf(':') + 1).strip())
        .findFirst()
        .orElse(System.getProperty("os.arch"));
  }
}
