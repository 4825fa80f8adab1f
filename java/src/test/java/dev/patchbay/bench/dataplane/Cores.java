// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench.dataplane;

import dev.patchbay.lab.Commands;

/** Which processors run what. */
enum Cores {
  /** Client and server on one: the path through the kernel and nothing else, the steadiest. */
  SAME("client and server on one core"),
  /** One each: nearer to life. */
  SPLIT("client and server on a core each");

  private static final int LAST = Runtime.getRuntime().availableProcessors() - 1;

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
    // The first one has most of the machine's interrupts.
    generator.pin(LAST, this == SAME ? LAST : Math.max(0, LAST - 1));
  }

  /** Keeps this process off the core that measures. Those that it starts later keep off it too. */
  static void keepOff() {
    if (LAST > 0) {
      Commands.run(
          "taskset",
          "-a",
          "-c",
          "-p",
          "0-" + (LAST - 1),
          Long.toString(ProcessHandle.current().pid()));
    }
  }

  /** Lets this process run everywhere. */
  static void anywhere() {
    Commands.run(
        "taskset", "-a", "-c", "-p", "0-" + LAST, Long.toString(ProcessHandle.current().pid()));
  }
}
