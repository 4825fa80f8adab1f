// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench;

import dev.patchbay.lab.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What a run leaves.
 *
 * @param machine where it ran
 * @param quick whether it was a rough one
 * @param seed of its random choices
 * @param results what it found
 */
public record Report(Machine machine, boolean quick, long seed, Results results) {
  /**
   * Writes {@code results.json}, {@code table.md}, {@code report.html}, and what goes into the
   * README: {@code readme.md} and a picture per chart.
   */
  public static void write(Path directory, Report report) throws IOException {
    Files.createDirectories(directory);
    Files.writeString(directory.resolve("results.json"), report.json() + "\n");
    Files.writeString(directory.resolve("table.md"), Markdown.tables(report));
    Files.writeString(directory.resolve("report.html"), Html.of(report));
    Files.writeString(directory.resolve("readme.md"), Markdown.headline(report));
    for (Chart chart : report.results.charts()) {
      Files.writeString(directory.resolve(chart.id() + ".svg"), Svg.file(chart));
    }
  }

  /** All of it, for programs. */
  String json() {
    Map<String, Object> members = new LinkedHashMap<>();
    members.put("version", 1);
    members.put("machine", machine.facts());
    members.put("quick", quick);
    members.put("seed", seed);
    members.put("remarks", results.remarks());
    members.put("charts", results.charts().stream().map(Report::chart).toList());
    members.put("rows", results.rows().stream().map(Report::row).toList());
    return Json.write(members);
  }

  private static Map<String, Object> chart(Chart chart) {
    List<Chart.Line> lines =
        switch (chart) {
          case Chart.Lines of -> of.lines();
          case Chart.Bars of -> of.bars();
        };
    Map<String, Object> members = new LinkedHashMap<>();
    members.put("id", chart.id());
    members.put("title", chart.title());
    members.put("values", chart.values());
    if (chart instanceof Chart.Lines of) {
      members.put("arguments", of.arguments());
    } else if (chart instanceof Chart.Bars of) {
      members.put("categories", of.categories());
    }
    members.put(
        "lines",
        lines.stream()
            .map(
                line ->
                    Map.of(
                        "name",
                        line.name(),
                        "points",
                        line.points().stream()
                            .map(point -> List.of(number(point.x()), number(point.y())))
                            .toList()))
            .toList());
    return members;
  }

  private static Map<String, Object> row(Row row) {
    Map<String, Object> members = new LinkedHashMap<>();
    members.put("key", row.key());
    members.put("group", row.group());
    members.put("measure", row.measure());
    members.put("peer", row.peer().name().toLowerCase(Locale.ROOT));
    members.put("against", row.against());
    row.services().ifPresent(services -> members.put("services", services));
    members.put("subject", row.subject());
    members.put("unit", row.unit());
    row.figure()
        .ifPresent(
            figure -> {
              members.put("value", number(figure.value()));
              members.put("low", number(figure.low()));
              members.put("high", number(figure.high()));
              members.put("runs", figure.runs().stream().map(Report::number).toList());
              members.put("samples", figure.samples());
              figure
                  .confidence()
                  .ifPresent(
                      interval ->
                          members.put(
                              "confidence95",
                              List.of(number(interval.low()), number(interval.high()))));
            });
    row.goal()
        .ifPresent(
            goal -> {
              Map<String, Object> aim = new LinkedHashMap<>();
              aim.put("id", goal.id());
              aim.put("bound", goal.bound().name().toLowerCase(Locale.ROOT));
              aim.put("gate", goal.gate());
              goal.moonshot().ifPresent(moonshot -> aim.put("moonshot", moonshot));
              members.put("goal", aim);
            });
    members.put("verdict", row.verdict().name().toLowerCase(Locale.ROOT));
    row.warning().ifPresent(warning -> members.put("warning", warning));
    members.put("notes", row.notes());
    return members;
  }

  /** JSON knows no NaN and no infinity. */
  private static Object number(double value) {
    return Double.isFinite(value) ? value : Json.NULL;
  }
}
