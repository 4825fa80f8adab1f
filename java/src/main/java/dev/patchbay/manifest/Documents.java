// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import java.util.ArrayList;
import java.util.List;

/**
 * Splits a YAML stream into its documents without parsing it. That is exact: a line that begins
 * with {@code ---} or {@code ...} and white space ends a document whatever stands before it (YAML
 * 1.2, section 9.1.4), so that a broken document does not spoil those behind it, and documents can
 * be parsed in parallel.
 */
final class Documents {
  /**
   * A part of the text that holds one document.
   *
   * @param from offset of its first character, where a line begins
   * @param to offset behind its last character
   * @param number of the document in the file, from 1
   */
  record Part(int from, int to, int number) {}

  private final String text;
  private final List<Part> parts = new ArrayList<>();
  private int number;

  private Documents(String text) {
    this.text = text;
  }

  static List<Part> split(String text) {
    Documents documents = new Documents(text);
    documents.split();
    return documents.parts;
  }

  /** The number of the line on which a part begins, from 1. */
  static int firstLine(String text, Part part) {
    int line = 1;
    for (int at = text.indexOf('\n'); at >= 0 && at < part.from; at = text.indexOf('\n', at + 1)) {
      line++;
    }
    return line;
  }

  private void split() {
    int start = 0;
    boolean marked = false; // whether the current part began with "---"
    int dashes = marker("---", 0);
    int dots = marker("...", 0);
    while (dashes < text.length() || dots < text.length()) {
      if (dashes < dots) {
        if (marked || !isBlank(start, dashes, false)) {
          add(start, dashes);
          start = dashes;
        } else if (isBlank(start, dashes, true)) {
          start = dashes;
        } // else: directives, which belong to the document that begins here
        marked = true;
        dashes = marker("---", dashes + 3);
      } else {
        if (marked || !isBlank(start, dots, true)) {
          add(start, dots);
        }
        int newline = text.indexOf('\n', dots);
        start = newline < 0 ? text.length() : newline + 1;
        marked = false;
        dots = marker("...", dots + 3);
      }
    }
    if (marked || !isBlank(start, text.length(), true)) {
      add(start, text.length());
    }
  }

  private void add(int from, int to) {
    parts.add(new Part(from, to, ++number));
  }

  /** The next line that begins with the marker and white space; the text's length if none does. */
  private int marker(String marker, int from) {
    int at = from;
    while (true) {
      at = text.indexOf(marker, at);
      if (at < 0) {
        return text.length();
      }
      int end = at + 3;
      boolean lineStart = at == 0 || text.charAt(at - 1) == '\n';
      if (lineStart && (end == text.length() || isSpace(text.charAt(end)))) {
        return at;
      }
      at = end;
    }
  }

  /**
   * Whether a part holds no content: only white space and comments, and directives if not counted.
   */
  private boolean isBlank(int from, int to, boolean directivesCount) {
    boolean lineStart = true;
    boolean skip = false;
    for (int at = from; at < to; at++) {
      char c = text.charAt(at);
      if (c == '\n') {
        lineStart = true;
        skip = false;
      } else if (!skip) {
        if (c == '#' || (c == '%' && lineStart && !directivesCount)) {
          skip = true;
        } else if (!isSpace(c)) {
          return false;
        }
        lineStart = false;
      }
    }
    return true;
  }

  private static boolean isSpace(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
  }
}
