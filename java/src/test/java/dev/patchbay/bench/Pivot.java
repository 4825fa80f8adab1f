// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The rows of a group as a table: a line for what was measured on, a column for each measure.
 *
 * @param group its heading
 * @param columns the measures
 * @param lines the lines, each with a row or nothing for each column
 */
record Pivot(String group, List<Column> columns, List<Line> lines) {
  /** A column. */
  record Column(String measure, String unit, String against) {
    String title() {
      String text = measure;
      if (!unit.equals(Row.RATIO) && !unit.isEmpty()) {
        text += " (" + unit + ")";
      }
      return against.isEmpty() ? text : text + ", beside " + against;
    }
  }

  /** What a line is of. */
  record Subject(Peer peer, OptionalInt services, String text) {
    static Subject of(Row row) {
      return new Subject(row.peer(), row.services(), row.subject());
    }
  }

  /** A line. */
  record Line(Subject subject, List<Optional<Row>> cells) {}

  /** Of rows without goals, by group, in the order of the rows. */
  static List<Pivot> of(List<Row> rows) {
    Map<String, List<Row>> groups = new LinkedHashMap<>();
    for (Row row : rows) {
      if (row.goal().isEmpty()) {
        groups.computeIfAbsent(row.group(), group -> new ArrayList<>()).add(row);
      }
    }
    return groups.entrySet().stream().map(group -> of(group.getKey(), group.getValue())).toList();
  }

  private static Pivot of(String group, List<Row> rows) {
    List<Column> columns =
        rows.stream()
            .map(row -> new Column(row.measure(), row.unit(), row.against()))
            .distinct()
            .toList();
    Map<Subject, Map<Column, Row>> lines = new LinkedHashMap<>();
    for (Row row : rows) {
      lines
          .computeIfAbsent(Subject.of(row), subject -> new LinkedHashMap<>())
          .put(new Column(row.measure(), row.unit(), row.against()), row);
    }
    return new Pivot(
        group,
        columns,
        lines.entrySet().stream()
            .map(
                line ->
                    new Line(
                        line.getKey(),
                        columns.stream()
                            .map(column -> Optional.ofNullable(line.getValue().get(column)))
                            .toList()))
            .toList());
  }
}
