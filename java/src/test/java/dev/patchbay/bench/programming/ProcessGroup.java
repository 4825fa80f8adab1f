// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench.programming;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToLongFunction;

/**
 * What the processes of a cgroup use: one that was started there and all that it starts, those that
 * have ended included where time is concerned. For any thread.
 *
 * @param cgroup a directory of the cgroup v2 hierarchy, not its root
 */
record ProcessGroup(Path cgroup) {
  private static final long PAGE = 4096;

  /**
   * Memory of its processes, in bytes.
   *
   * @param resident pages that are in memory; what several of them share counts for each
   * @param proportional the same, but shared pages are divided among those that share them
   */
  record Memory(long resident, long proportional) {}

  /** Processor time in user mode and in the kernel so far. */
  Duration processorTime() {
    return processorTime(read(cgroup.resolve("cpu.stat")));
  }

  static Duration processorTime(String cpuStat) {
    return cpuStat
        .lines()
        .filter(line -> line.startsWith("usage_usec "))
        .map(line -> Duration.ofNanos(1000 * Long.parseLong(line.substring(11))))
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("no usage_usec in " + cpuStat));
  }

  /** Its processes now. */
  List<Long> processes() {
    return read(cgroup.resolve("cgroup.procs")).lines().map(Long::valueOf).toList();
  }

  /** Memory now; a process that ends meanwhile counts for nothing. */
  Memory memory() {
    List<String> texts = new ArrayList<>();
    processes().forEach(pid -> texts.add(readIfThere(pid, "smaps_rollup")));
    ToLongFunction<String> resident = text -> kibibytes(text, "Rss");
    return new Memory(
        1024 * texts.stream().mapToLong(resident).sum(),
        1024 * texts.stream().mapToLong(text -> kibibytes(text, "Pss")).sum());
  }

  /** Resident bytes now; quicker than {@link #memory}, which walks all pages. */
  long resident() {
    return processes().stream().mapToLong(pid -> residentPages(readIfThere(pid, "statm"))).sum()
        * PAGE;
  }

  static long residentPages(String statm) {
    String[] fields = statm.split(" ", 3);
    return fields.length < 3 ? 0 : Long.parseLong(fields[1]);
  }

  static long kibibytes(String rollup, String name) {
    return rollup
        .lines()
        .filter(line -> line.startsWith(name + ":"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
        .sum();
  }

  private static String readIfThere(long pid, String file) {
    try {
      return Files.readString(Path.of("/proc", Long.toString(pid), file));
    } catch (IOException e) {
      return ""; // it has ended
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
