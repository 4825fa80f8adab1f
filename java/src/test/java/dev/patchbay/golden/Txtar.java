// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.golden;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Several texts in one file that people can read and edit: a comment, then sections that begin with
 * a line {@code -- name --}. The format is that of Go's {@code txtar}; blank lines at the end of a
 * section do not count.
 *
 * @param comment what precedes the first section
 * @param sections in order
 */
record Txtar(String comment, List<Section> sections) {
  private static final Pattern HEADER = Pattern.compile("-- (\\S.*?) --");

  /**
   * A section.
   *
   * @param name what stands between the dashes
   * @param text empty, or ends with a newline
   */
  record Section(String name, String text) {
    Section {
      text = text.isBlank() ? "" : text.stripTrailing() + "\n";
    }
  }

  Txtar {
    comment = comment.strip();
    sections = List.copyOf(sections);
  }

  static Txtar parse(String text) {
    String comment = "";
    List<Section> sections = new ArrayList<>();
    String name = "";
    StringBuilder body = new StringBuilder();
    for (String line : text.lines().toList()) {
      Matcher header = HEADER.matcher(line);
      if (!header.matches()) {
        body.append(line).append('\n');
        continue;
      }
      if (name.isEmpty()) {
        comment = body.toString();
      } else {
        sections.add(new Section(name, body.toString()));
      }
      name = header.group(1);
      body.setLength(0);
    }
    if (name.isEmpty()) {
      comment = body.toString();
    } else {
      sections.add(new Section(name, body.toString()));
    }
    return new Txtar(comment, sections);
  }

  /** The file; parsing it gives this again. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder(comment).append('\n');
    for (Section section : sections) {
      text.append("\n-- ").append(section.name()).append(" --\n").append(section.text());
    }
    return text.toString();
  }
}
