// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench.programming;

import dev.patchbay.lab.Commands;
import dev.patchbay.lab.Patchbay;
import java.nio.file.Path;
import java.util.List;

/** The programs in C in {@code java/src/test/bench}. */
final class CProgram {
  private CProgram() {}

  /**
   * Compiles one.
   *
   * @param name without {@code .c}
   * @param directory where the program goes
   * @return the program
   */
  static Path compile(String name, Path directory) {
    Path root = Patchbay.root();
    Path program = directory.resolve(name);
    List<String> command =
        List.of(
            "cc",
            "-std=gnu11",
            "-D_GNU_SOURCE",
            "-O2",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-I" + root.resolve("bpf/include"),
            root.resolve("java/src/test/bench/" + name + ".c").toString(),
            "-o",
            program.toString(),
            "-lbpf");
    var ignored = Commands.run(command.toArray(String[]::new));
    return program;
  }
}
