// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.cli;

import dev.patchbay.agent.cli.Terminal.Style;

/** Output for people, as it grows: named lines, items of a list, tables. */
final class Lines {
  private final StringBuilder text = new StringBuilder();
  private final Terminal terminal;

  Lines(Terminal terminal) {
    this.terminal = terminal;
  }

  /** {@code name what is to be said of it}; the name is in the colour. */
  void line(String name, Style style, String value) {
    String padded = "%-10s".formatted(name);
    String lines = terminal.paragraph(padded + "  ", " ".repeat(padded.length() + 2), value);
    text.append(terminal.paint(style, name)).append(lines, name.length(), lines.length());
  }

  /** An indented paragraph. */
  void paragraph(String indent, String value) {
    text.append(terminal.paragraph(indent, indent, value));
  }

  /** A paragraph whose first words are in a colour. */
  void paragraph(Style style, String start, String rest) {
    String lines = terminal.paragraph(start + rest);
    text.append(terminal.paint(style, start)).append(lines, start.length(), lines.length());
  }

  /** An item of a list. */
  void item(String value) {
    text.append(terminal.paragraph("  - ", "    ", value));
  }

  /** A table, after an empty line. */
  void table(TextTable table) {
    table("", table);
  }

  /** The same, indented. */
  void table(String indent, TextTable table) {
    text.append('\n').append(table.render(indent, terminal));
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
