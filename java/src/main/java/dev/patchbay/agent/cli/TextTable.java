// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.cli;

import dev.patchbay.agent.cli.Terminal.Style;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A table for a terminal: left-aligned columns, two spaces apart, no trailing blanks.
 *
 * <p>Where it is too wide, the last column is broken over several lines; where even that is not
 * enough, each row becomes a paragraph of its own with the names of the columns in it. Cells are
 * broken after blanks and commas only, and others than the last never.
 */
final class TextTable {
  private static final int GAP = 2;

  /** The last column is not made narrower than this. */
  private static final int LEAST = 24;

  private final List<List<Cell>> rows = new ArrayList<>();

  /** What stands in a column of a row. */
  record Cell(String text, Style style) {
    static Cell of(String text) {
      return new Cell(text, Style.PLAIN);
    }
  }

  TextTable(String... header) {
    rows.add(Arrays.stream(header).map(name -> new Cell(name, Style.HEADER)).toList());
  }

  void row(String... cells) {
    row(Arrays.stream(cells).map(Cell::of).toArray(Cell[]::new));
  }

  void row(Cell... cells) {
    if (cells.length != rows.getFirst().size()) {
      throw new IllegalArgumentException(cells.length + " cells in a row");
    }
    rows.add(List.of(cells));
  }

  /**
   * The lines, each ended by a newline.
   *
   * @param indent what each begins with
   */
  String render(String indent, Terminal terminal) {
    int columns = rows.getFirst().size();
    int[] widths = new int[columns];
    int longestWord = 0;
    for (List<Cell> row : rows) {
      for (int i = 0; i < columns; i++) {
        widths[i] = Math.max(widths[i], row.get(i).text.length());
      }
      for (String word : Terminal.broken(row.getLast().text, 1)) {
        longestWord = Math.max(longestWord, word.length());
      }
    }
    int before = indent.length() + (columns - 1) * GAP;
    for (int i = 0; i < columns - 1; i++) {
      before += widths[i];
    }
    int room = terminal.width() - before;
    return room >= widths[columns - 1] || room >= Math.max(longestWord, LEAST)
        ? table(indent, widths, room, terminal)
        : paragraphs(indent, terminal);
  }

  private String table(String indent, int[] widths, int room, Terminal terminal) {
    StringBuilder text = new StringBuilder();
    for (List<Cell> row : rows) {
      StringBuilder start = new StringBuilder(indent);
      int blanks = indent.length();
      for (int i = 0; i < widths.length - 1; i++) {
        Cell cell = row.get(i);
        start.append(terminal.paint(cell.style, cell.text));
        start.append(" ".repeat(widths[i] - cell.text.length() + GAP));
        blanks += widths[i] + GAP;
      }
      Cell last = row.getLast();
      for (String line : Terminal.broken(last.text, room)) {
        String whole = start + terminal.paint(last.style, line);
        text.append(whole.stripTrailing()).append('\n');
        start = new StringBuilder(" ".repeat(blanks));
      }
    }
    return text.toString();
  }

  /** A row each: its cells in their order, all but the first with the name of the column. */
  private String paragraphs(String indent, Terminal terminal) {
    String next = indent + "    ";
    List<Cell> header = rows.getFirst();
    StringBuilder text = new StringBuilder();
    for (List<Cell> row : rows.subList(1, rows.size())) {
      StringBuilder line = new StringBuilder(indent);
      int length = indent.length();
      boolean empty = true;
      for (int i = 0; i < row.size(); i++) {
        Cell cell = row.get(i);
        if (cell.text.isEmpty()) {
          continue;
        }
        String name = i == 0 ? "" : header.get(i).text + " ";
        if (!empty && length + GAP + name.length() + cell.text.length() > terminal.width()) {
          text.append(line).append('\n');
          line = new StringBuilder(next);
          length = next.length();
          empty = true;
        }
        List<String> parts = Terminal.broken(cell.text, terminal.width() - length - name.length());
        line.append(empty ? "" : " ".repeat(GAP)).append(terminal.paint(Style.FAINT, name));
        length += (empty ? 0 : GAP) + name.length();
        for (int part = 0; part < parts.size(); part++) {
          if (part > 0) {
            text.append(line).append('\n');
            line = new StringBuilder(next);
            length = next.length();
          }
          line.append(terminal.paint(cell.style, parts.get(part)));
          length += parts.get(part).length();
        }
        empty = false;
      }
      text.append(line).append('\n');
    }
    return text.toString();
  }
}
