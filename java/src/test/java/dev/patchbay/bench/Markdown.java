// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Tables in Markdown. */
final class Markdown {
  private static final List<Peer> HEADLINE_PEERS =
      List.of(Peer.DIRECT, Peer.PATCHBAY, Peer.NFTABLES, Peer.IPTABLES);

  private Markdown() {}

  /** All rows: first those with goals, then the others by group. */
  static String tables(Report report) {
    StringBuilder text = new StringBuilder("# Benchmarks\n\n");
    report.results().remarks().forEach(r -> text.append("- ").append(r).append('\n'));
    text.append("\n## Goals\n\n| goal | measure | of | beside | figure | gate | moonshot | |\n");
    text.append("|---|---|---|---|---|---|---|---|\n");
    for (Row row : report.results().rows()) {
      row.goal().ifPresent(goal -> text.append(goal(row, goal)));
    }
    for (Pivot pivot : Pivot.of(report.results().rows())) {
      text.append("\n## ").append(pivot.group()).append("\n\n| |");
      pivot.columns().forEach(column -> text.append(' ').append(cell(column.title())).append(" |"));
      text.append("\n|---|").append("---|".repeat(pivot.columns().size())).append('\n');
      for (Pivot.Line line : pivot.lines()) {
        text.append("| ").append(cell(Html.of(line.subject()))).append(" |");
        for (Optional<Row> cell : line.cells()) {
          text.append(' ').append(cell.map(Markdown::figure).orElse("")).append(" |");
        }
        text.append('\n');
      }
    }
    text.append("\n## Machine\n\n");
    report
        .machine()
        .facts()
        .forEach((k, v) -> text.append("- ").append(k).append(": ").append(v).append('\n'));
    return text.toString();
  }

  private static String goal(Row row, Goal goal) {
    String sign = goal.bound().sign() + " ";
    StringBuilder notes = new StringBuilder(row.verdict().title());
    row.warning().ifPresent(warning -> notes.append("; ").append(warning));
    row.notes().forEach(note -> notes.append("; ").append(note));
    return "| %s | %s | %s | %s | %s | %s | %s | %s |%n"
        .formatted(
            goal.id(),
            cell(row.measure()),
            cell(Html.of(Pivot.Subject.of(row))),
            cell(row.against()),
            figure(row),
            sign + Numbers.plain(goal.gate()),
            goal.moonshot().isPresent() ? sign + Numbers.plain(goal.moonshot().getAsDouble()) : "",
            cell(notes.toString()));
  }

  private static String figure(Row row) {
    return row.figure()
        .map(
            figure ->
                Numbers.format(figure.value(), row.unit())
                    + Numbers.suffix(row.unit())
                    + (figure.runs().size() > 1
                        ? " [%s – %s]"
                            .formatted(
                                Numbers.format(figure.low(), row.unit()),
                                Numbers.format(figure.high(), row.unit()))
                        : ""))
        .orElse("–");
  }

  private static String cell(String text) {
    return text.replace("|", "\\|");
  }

  /** The table of the README, with the sentence that says where it is from. */
  static String headline(Report report) {
    StringBuilder text = new StringBuilder("| |");
    HEADLINE_PEERS.forEach(peer -> text.append(' ').append(peer.title()).append(" |"));
    text.append("\n|---|").append("---|".repeat(HEADLINE_PEERS.size())).append('\n');
    for (Headline line : report.results().headlines()) {
      text.append("| ").append(cell(line.measure())).append(" |");
      for (Peer peer : HEADLINE_PEERS) {
        Figure figure = line.figures().get(peer);
        text.append(' ')
            .append(
                figure == null
                    ? ""
                    : Numbers.format(figure.value(), line.unit()) + Numbers.suffix(line.unit()))
            .append(" |");
      }
      text.append('\n');
    }
    var facts = report.machine().facts();
    return text.append(
            String.format(
                Locale.ROOT,
                "%nMedians of one run of `sudo make %s` on %s, %s cores, Linux %s, %s.%n",
                report.quick() ? "bench-quick" : "bench",
                facts.getOrDefault("processor", "?"),
                facts.getOrDefault("cores", "?"),
                facts.getOrDefault("kernel", "?"),
                facts.getOrDefault("date", "?").replaceFirst("T.*", "")))
        .toString();
  }
}
