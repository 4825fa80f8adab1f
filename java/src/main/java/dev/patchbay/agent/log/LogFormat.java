// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.log;

/** What a line of the log looks like; the names are those of {@code --log-format}. */
public enum LogFormat {
  /** For people: time, level, message, then {@code key=value} pairs. */
  text,
  /** For programs: a JSON object a line. */
  json
}
