// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;

/** How to take back, in reverse, what was done so far. One thread. */
final class Undo {
  /** Takes one thing back. */
  @FunctionalInterface
  interface Step {
    void run() throws KernelException, IOException;
  }

  private final Deque<Step> steps = new ArrayDeque<>();

  void add(Step step) {
    steps.push(step);
  }

  void deleting(Path path) {
    add(() -> Files.deleteIfExists(path));
  }

  /** Takes everything back; what cannot be is told beside {@code cause}. */
  void run(Exception cause) {
    while (!steps.isEmpty()) {
      try {
        steps.pop().run();
      } catch (KernelException | IOException failed) {
        cause.addSuppressed(failed);
      }
    }
  }

  /** All is well: nothing will be taken back. */
  void forget() {
    steps.clear();
  }
}
