// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;

/**
 * What output goes to.
 *
 * @param width columns of a line; {@link #UNLIMITED} where lines are as long as they are
 * @param colour whether there are colours
 */
record Terminal(int width, boolean colour) {
  /** Lines are never broken. */
  static final int UNLIMITED = Integer.MAX_VALUE;

  /** A file or a pipe. */
  static final Terminal NONE = new Terminal(UNLIMITED, false);

  /** With fewer columns than this nothing can be laid out. */
  private static final int LEAST = 20;

  private static final Path STANDARD_OUTPUT = Path.of("/proc/self/fd/1");
  private static final String OFF = "\u001b[0m";

  /** What a text means, and so its colour. */
  enum Style {
    PLAIN(""),
    HEADER("1"),
    GOOD("32"),
    WARNING("33"),
    BAD("31"),
    FAINT("2");

    private final String code;

    Style(String code) {
      this.code = code;
    }
  }

  /**
   * The one behind standard output, if it is one. {@code COLUMNS} says how wide it is, else its
   * driver is asked. There are colours unless {@code NO_COLOR} is set to anything, or {@code TERM}
   * is {@code dumb}.
   *
   * @param environment of this process
   */
  static Terminal ofStandardOutput(Map<String, String> environment) {
    return of(environment, isTerminal(STANDARD_OUTPUT));
  }

  static Terminal of(Map<String, String> environment, boolean terminal) {
    if (!terminal) {
      return NONE;
    }
    int columns =
        number(environment.getOrDefault("COLUMNS", "")).orElseGet(() -> size().orElse(UNLIMITED));
    boolean colour =
        environment.getOrDefault("NO_COLOR", "").isEmpty()
            && !environment.getOrDefault("TERM", "").equals("dumb");
    return new Terminal(Math.max(LEAST, columns), colour);
  }

  /** Whether a file descriptor's link leads to a device of a terminal. */
  private static boolean isTerminal(Path descriptor) {
    try {
      String target = Files.readSymbolicLink(descriptor).toString();
      return target.startsWith("/dev/pts/")
          || target.startsWith("/dev/tty")
          || target.startsWith("/dev/hvc")
          || target.equals("/dev/console");
    } catch (IOException | InvalidPathException | UnsupportedOperationException e) {
      return false;
    }
  }

  private static OptionalInt number(String text) {
    return text.matches("[1-9][0-9]{0,4}")
        ? OptionalInt.of(Integer.parseInt(text))
        : OptionalInt.empty();
  }

  /** The columns of the terminal behind standard output, as {@code stty size} tells them. */
  private static OptionalInt size() {
    try {
      Process stty =
          new ProcessBuilder("stty", "size")
              .redirectInput(STANDARD_OUTPUT.toFile())
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      if (!stty.waitFor(1, TimeUnit.SECONDS)) {
        stty.destroyForcibly();
        return OptionalInt.empty();
      }
      String[] words =
          new String(stty.getInputStream().readAllBytes(), StandardCharsets.US_ASCII)
              .strip()
              .split(" ", -1);
      return words.length == 2 ? number(words[1]) : OptionalInt.empty();
    } catch (IOException e) {
      return OptionalInt.empty(); // without stty lines are as long as they are
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return OptionalInt.empty();
    }
  }

  /** The text in its colour, if there are colours. */
  String paint(Style style, String text) {
    return !colour || style == Style.PLAIN || text.isEmpty()
        ? text
        : "\u001b[" + style.code + "m" + text + OFF;
  }

  /**
   * A paragraph: broken between words where it would be too long.
   *
   * @param first what its first line begins with
   * @param next what the others begin with
   * @return lines, each ended by a newline
   */
  String paragraph(String first, String next, String text) {
    StringBuilder lines = new StringBuilder();
    String prefix = first;
    for (String line : broken(text, width - Math.max(first.length(), next.length()))) {
      lines.append((prefix + line).stripTrailing()).append('\n');
      prefix = next;
    }
    return lines.toString();
  }

  /** The same, from the left margin. */
  String paragraph(String text) {
    return paragraph("", "", text);
  }

  /**
   * Breaks a text after blanks and after commas, so that no address is broken: a word that is
   * longer than a line gets one for itself.
   *
   * @param columns of a line
   * @return at least one line, without blanks at its ends
   */
  static List<String> broken(String text, int columns) {
    if (text.length() <= columns) {
      return List.of(text);
    }
    List<String> lines = new ArrayList<>();
    StringBuilder line = new StringBuilder();
    String blanks = "";
    int start = 0;
    while (start < text.length()) {
      int end = start;
      while (end < text.length() && text.charAt(end) != ' ' && text.charAt(end) != ',') {
        end++;
      }
      if (end < text.length() && text.charAt(end) == ',') {
        end++;
      }
      if (!line.isEmpty() && line.length() + blanks.length() + end - start > columns) {
        lines.add(line.toString());
        line.setLength(0);
      }
      line.append(line.isEmpty() ? "" : blanks).append(text, start, end);
      int next = end;
      while (next < text.length() && text.charAt(next) == ' ') {
        next++;
      }
      blanks = text.substring(end, next);
      start = next;
    }
    lines.add(line.toString());
    return lines;
  }
}
