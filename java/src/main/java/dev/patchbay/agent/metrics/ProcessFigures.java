// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.metrics;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * What the kernel knows of this process. From {@code /proc}: the management beans of the JDK, which
 * know it too, cost more memory than all that is told here.
 */
final class ProcessFigures {
  private final Path proc;

  /**
   * Of a process.
   *
   * @param proc its directory in {@code /proc}
   */
  ProcessFigures(Path proc) {
    this.proc = proc;
  }

  /** Adds what can be read. */
  void collect(Families into) {
    start(into);
    ProcessHandle.current()
        .info()
        .totalCpuDuration()
        .ifPresent(used -> into.add(Metric.PROCESS_CPU, used.toMillis() / 1e3));
    try (DirectoryStream<Path> open = Files.newDirectoryStream(proc.resolve("fd"))) {
      int count = -1; // one of them is this stream's
      for (Path _ : open) {
        count++;
      }
      into.add(Metric.PROCESS_OPEN_FDS, count);
    } catch (IOException _) {
      // not told
    }
    line("limits", "Max open files", Metric.PROCESS_MAX_FDS, 1, into);
    line("status", "VmRSS:", Metric.PROCESS_RESIDENT, 1024, into);
    line("status", "VmSize:", Metric.PROCESS_VIRTUAL, 1024, into);
  }

  /** Adds when the process was started. */
  void start(Families into) {
    ProcessHandle.current()
        .info()
        .startInstant()
        .ifPresent(start -> into.add(Metric.PROCESS_START, start.toEpochMilli() / 1e3));
  }

  /** Adds the first number of the line that begins so; a limit may be "unlimited". */
  private void line(String file, String beginning, Metric metric, long unit, Families into) {
    try {
      for (String line : Files.readAllLines(proc.resolve(file))) {
        if (line.startsWith(beginning)) {
          String value = line.substring(beginning.length()).strip().split("\\s+", 2)[0];
          into.add(
              metric,
              value.toLowerCase(Locale.ROOT).equals("unlimited")
                  ? Double.POSITIVE_INFINITY
                  : (double) Long.parseLong(value) * unit);
        }
      }
    } catch (IOException | NumberFormatException _) {
      // not told
    }
  }
}
