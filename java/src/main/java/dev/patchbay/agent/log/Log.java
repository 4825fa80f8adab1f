// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.log;

import java.time.Instant;
import java.util.Map;
import org.slf4j.event.KeyValuePair;
import org.slf4j.event.Level;

/**
 * The log of this process: standard error, one line an event, written at once. Safe for use by
 * several threads.
 */
public final class Log {
  private static volatile LogFormat format = LogFormat.text;
  private static volatile Level level = Level.INFO;

  private Log() {}

  /**
   * Settles what is logged from now on, and how.
   *
   * @param least the least level that is logged
   */
  public static void configure(LogFormat newFormat, Level least) {
    format = newFormat;
    level = least;
  }

  /** How lines are written now. */
  public static LogFormat format() {
    return format;
  }

  /**
   * A line that goes elsewhere than to the log and has to look like one of it.
   *
   * @param logger who says it
   * @param pairs what belongs to it, in their order
   */
  public static String line(Level of, String logger, String message, Map<String, ?> pairs) {
    return new LogLine(
            Instant.now(),
            of,
            logger,
            Thread.currentThread().getName(),
            message,
            pairs.entrySet().stream().map(e -> new KeyValuePair(e.getKey(), e.getValue())).toList(),
            null)
        .as(format);
  }

  static boolean isEnabled(Level asked) {
    return asked.toInt() >= level.toInt();
  }

  static void write(LogLine line) {
    // As one, so that lines of two threads do not mix.
    System.err.print(line.as(format) + '\n');
    System.err.flush();
  }
}
