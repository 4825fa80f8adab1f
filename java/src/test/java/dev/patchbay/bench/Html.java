// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench;

import static dev.patchbay.bench.Svg.escape;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** The report as a page that needs nothing else. */
final class Html {
  private static final String CSS =
      """
      body { color: var(--ink); background: var(--paper); font: 15px/1.5 system-ui, sans-serif;
        max-width: 75rem; margin: 2rem auto; padding: 0 1rem }
      table { border-collapse: collapse; margin: .5rem 0 1.5rem; font-variant-numeric: tabular-nums }
      th, td { text-align: left; vertical-align: top; padding: .25rem .7rem;
        border-bottom: 1px solid var(--faint) }
      th { font-weight: 600; color: var(--soft) }
      td.n { text-align: right; white-space: nowrap }
      small { color: var(--soft) }
      h2 { margin-top: 2.5rem } h3 { margin-top: 1.5rem; font-size: 1rem }
      .wide { overflow-x: auto }
      svg { max-width: 48rem; width: 100%; height: auto }
      .met, .moonshot { color: #1a7f37 } .missed { color: #cf222e } .void, .not_measured { color: #9a6700 }
      @media (prefers-color-scheme: dark) {
        .met, .moonshot { color: #3fb950 } .missed { color: #f85149 } .void, .not_measured { color: #d29922 } }
      .moonshot { font-weight: 700 }
      """;

  private final StringBuilder text = new StringBuilder();

  private Html() {}

  /** The whole page. */
  static String of(Report report) {
    Html page = new Html();
    page.write(report);
    return page.text.toString();
  }

  private void write(Report report) {
    text.append("<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'>\n")
        .append("<meta name='viewport' content='width=device-width, initial-scale=1'>\n")
        .append("<meta name='color-scheme' content='light dark'>\n")
        .append("<title>Patchbay: benchmarks</title>\n<style>\n")
        .append(Svg.style())
        .append(CSS)
        .append("</style></head><body>\n<h1>Patchbay: benchmarks</h1>\n");
    if (report.quick()) {
      text.append(
          "<p><b>A quick run:</b> small sizes and few rounds. It shows that all of it works"
              + " and roughly where things are; the gates are meant for <code>make bench</code>.</p>\n");
    }
    List<String> remarks = report.results().remarks();
    if (!remarks.isEmpty()) {
      text.append("<ul>");
      remarks.forEach(remark -> text.append("<li>").append(escape(remark)).append("</li>"));
      text.append("</ul>\n");
    }
    goals(report.results().rows());
    if (!report.results().charts().isEmpty()) {
      text.append(
          "<h2>Pictures</h2>\n<p>Points are medians; whiskers reach from the lowest to the"
              + " highest run.</p>\n");
      for (Chart chart : report.results().charts()) {
        text.append("<figure id='").append(escape(chart.id())).append("'>\n");
        text.append(Svg.draw(chart)).append("</figure>\n");
      }
    }
    text.append(
        "<h2>All figures</h2>\n<p>Ratios are times divided by those of what they stand"
            + " beside in the same round: below 1 is faster. In brackets: the lowest and the highest"
            + " run.</p>\n");
    Pivot.of(report.results().rows()).forEach(this::table);
    machine(report);
    text.append("</body></html>\n");
  }

  private void goals(List<Row> rows) {
    text.append(
        "<h2>Goals</h2>\n<p>A gate has to hold in each release; the moonshot is the aim"
            + " beyond it. A row is void if two identical configurations of its series differ by more"
            + " than 1 %.</p>\n");
    String group = "";
    boolean open = false;
    for (Row row : rows) {
      if (row.goal().isEmpty()) {
        continue;
      }
      String heading = row.group().replaceFirst("^Goals: ", "");
      if (!heading.equals(group)) {
        text.append(open ? "</table></div>\n" : "");
        text.append("<h3>").append(escape(heading)).append("</h3>\n<div class='wide'><table>");
        text.append(
            "<tr><th>goal</th><th>measure</th><th>of</th><th>beside</th><th>figure</th>"
                + "<th>95 %</th><th>gate</th><th>moonshot</th><th></th></tr>\n");
        group = heading;
        open = true;
      }
      goal(row, row.goal().orElseThrow());
    }
    text.append(open ? "</table></div>\n" : "<p>None was measured.</p>\n");
  }

  private void goal(Row row, Goal goal) {
    String sign = goal.bound().sign() + " ";
    text.append("<tr><td>").append(escape(goal.id())).append("</td><td>");
    text.append(escape(row.measure())).append(remarks(row)).append("</td><td>");
    text.append(escape(of(Pivot.Subject.of(row)))).append("</td><td>");
    text.append(escape(row.against())).append("</td><td class='n'>");
    text.append(figure(row)).append("</td><td class='n'>");
    text.append(
        row.figure()
            .flatMap(Figure::confidence)
            .map(where -> range(where.low(), where.high(), row.unit()))
            .orElse(""));
    text.append("</td><td class='n'>").append(sign).append(Numbers.plain(goal.gate()));
    text.append("</td><td class='n'>");
    goal.moonshot().ifPresent(value -> text.append(sign).append(Numbers.plain(value)));
    Verdict verdict = row.verdict();
    text.append("</td><td class='").append(verdict.name().toLowerCase(Locale.ROOT));
    text.append("'>").append(verdict.title()).append("</td></tr>\n");
  }

  private static String remarks(Row row) {
    StringBuilder notes = new StringBuilder();
    row.warning()
        .ifPresent(
            warning -> notes.append("<br><small>⚠ ").append(escape(warning)).append("</small>"));
    row.notes()
        .forEach(note -> notes.append("<br><small>").append(escape(note)).append("</small>"));
    return notes.toString();
  }

  private static String figure(Row row) {
    return row.figure()
        .map(
            figure ->
                "<b>"
                    + Numbers.format(figure.value(), row.unit())
                    + Numbers.suffix(row.unit())
                    + "</b>"
                    + (figure.runs().size() > 1
                        ? " <small>[" + range(figure.low(), figure.high(), row.unit()) + "]</small>"
                        : ""))
        .orElse("–");
  }

  private static String range(double low, double high, String unit) {
    return Numbers.format(low, unit) + " – " + Numbers.format(high, unit);
  }

  /** What a line is of. */
  static String of(Pivot.Subject subject) {
    StringBuilder name = new StringBuilder(subject.peer().title());
    subject
        .services()
        .ifPresent(count -> name.append(", ").append("%,d Services".formatted(count)));
    return subject.text().isEmpty() ? name.toString() : name + ", " + subject.text();
  }

  private void table(Pivot pivot) {
    text.append("<h3>")
        .append(escape(pivot.group()))
        .append("</h3>\n<div class='wide'><table><tr><th></th>");
    pivot.columns().forEach(c -> text.append("<th>").append(escape(c.title())).append("</th>"));
    text.append("</tr>\n");
    for (Pivot.Line line : pivot.lines()) {
      text.append("<tr><td>").append(escape(of(line.subject())));
      line.cells().stream()
          .flatMap(Optional::stream)
          .flatMap(row -> Stream.concat(row.warning().stream(), row.notes().stream()))
          .distinct()
          .forEach(note -> text.append("<br><small>").append(escape(note)).append("</small>"));
      text.append("</td>");
      for (Optional<Row> cell : line.cells()) {
        text.append("<td class='n'>").append(cell.map(Html::figure).orElse("")).append("</td>");
      }
      text.append("</tr>\n");
    }
    text.append("</table></div>\n");
  }

  private void machine(Report report) {
    text.append("<h2>Machine</h2>\n<table>");
    report
        .machine()
        .facts()
        .forEach(
            (name, value) ->
                text.append("<tr><th>")
                    .append(escape(name))
                    .append("</th><td>")
                    .append(escape(value))
                    .append("</td></tr>\n"));
    text.append("<tr><th>seed</th><td>").append(report.seed()).append("</td></tr></table>\n");
  }
}
