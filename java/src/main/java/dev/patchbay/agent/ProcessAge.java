// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * How long this process has existed, the start of the JVM included. From {@code /proc}, both ends
 * on the clock that starts at boot, to 10 ms: the JDK's own answer is a wall-clock time derived
 * from a boot time in whole seconds.
 */
final class ProcessAge {
  /** {@code USER_HZ}, the unit of {@code /proc/PID/stat}, on every architecture we run on. */
  private static final int TICKS_PER_SECOND = 100;

  /** Of {@code starttime}, counted from the field behind the parenthesised name (man 5 proc). */
  private static final int START_FIELD = 19;

  private ProcessAge() {}

  /** In milliseconds; 0 if {@code /proc} does not tell. */
  static long millis() {
    try {
      String uptime = Files.readString(Path.of("/proc/uptime"));
      return age(Files.readString(Path.of("/proc/self/stat")), uptime);
    } catch (IOException e) {
      return 0;
    }
  }

  static long age(String stat, String uptime) {
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
    long started = Long.parseLong(fields[START_FIELD]) * (1000 / TICKS_PER_SECOND);
    long now = Math.round(Double.parseDouble(uptime.substring(0, uptime.indexOf(' '))) * 1000);
    return Math.max(0, now - started);
  }
}
