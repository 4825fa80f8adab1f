// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * How readily the kernel ends this process when memory runs out, see {@code
 * proc_pid_oom_score_adj(5)}.
 */
public final class OomScore {
  /** Of this process. */
  public static final Path OWN = Path.of("/proc/self/oom_score_adj");

  private static final int LIMIT = 1000;

  private OomScore() {}

  /**
   * Sets the adjustment.
   *
   * @param file {@link #OWN}
   * @param adjustment -1000 (never) to 1000 (first)
   * @throws UserError if it is out of range, or lowered without {@code CAP_SYS_RESOURCE}
   */
  public static void adjust(Path file, int adjustment) throws UserError {
    if (adjustment < -LIMIT || adjustment > LIMIT) {
      throw UserError.usage(
          "--oom-score-adj " + adjustment, "out of range", "give a number of -1000 to 1000");
    }
    try {
      Files.writeString(file, Integer.toString(adjustment));
    } catch (IOException e) {
      throw new UserError(
          "cannot set --oom-score-adj " + adjustment,
          e.getMessage(),
          "grant CAP_SYS_RESOURCE, which is needed to lower it, or leave the option out");
    }
  }
}
