// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench.dataplane;

import dev.patchbay.lab.Commands;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Which processors run what. */
enum Cores {
  /** Client and server on one: the path through the kernel and nothing else, the steadiest. */
  SAME("client and server on one core"),
  /** One each: nearer to life. */
  SPLIT("client and server on a core each");

  /** Those that this process may run on, ascending. The first has most of the interrupts. */
  private static final List<Integer> ALLOWED = allowed();

  private final String title;

  Cores(String title) {
    this.title = title;
  }

  /** For people. */
  String title() {
    return title;
  }

  /** Pins a generator and its server. */
  void pin(Generator generator) {
    int last = ALLOWED.getLast();
    int other = ALLOWED.get(Math.max(0, ALLOWED.size() - 2));
    generator.pin(last, this == SAME ? last : other);
  }

  /**
   * Keeps this process off the processor that measures, where there is another. What it starts from
   * then on keeps off it too, unless it is pinned.
   */
  static void keepOff() {
    if (ALLOWED.size() > 1) {
      pinMyself(ALLOWED.subList(0, ALLOWED.size() - 1));
    }
  }

  /** Lets this process run everywhere again. */
  static void anywhere() {
    pinMyself(ALLOWED);
  }

  private static void pinMyself(List<Integer> cores) {
    var ignored =
        Commands.run(
            "taskset",
            "--all-tasks",
            "--cpu-list",
            "--pid",
            cores.stream().map(String::valueOf).collect(Collectors.joining(",")),
            Long.toString(ProcessHandle.current().pid()));
  }

  private static List<Integer> allowed() {
    try {
      return Files.readAllLines(Path.of("/proc/self/status")).stream()
          .filter(line -> line.startsWith("Cpus_allowed_list:"))
          .map(line -> parse(line.substring(line.indexOf(':') + 1).strip()))
          .findFirst()
          .orElseThrow();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Reads a list such as {@code 0-3,8}. */
  static List<Integer> parse(String list) {
    List<Integer> cores = new ArrayList<>();
    for (String range : list.split(",", -1)) {
      int dash = range.indexOf('-');
      int from = Integer.parseInt(dash < 0 ? range : range.substring(0, dash));
      int to = dash < 0 ? from : Integer.parseInt(range.substring(dash + 1));
      for (int core = from; core <= to; core++) {
        cores.add(core);
      }
    }
    return List.copyOf(cores);
  }
}
