// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab;

import java.util.List;

/**
 * How a command ended.
 *
 * @param command what was run
 * @param exit its exit code; 128 + the signal number if a signal ended it
 * @param out its standard output
 * @param err its standard error
 */
public record Result(List<String> command, int exit, String out, String err) {
  public Result {
    command = List.copyOf(command);
  }

  /** This, if the command succeeded; otherwise an {@link AssertionError} that tells all. */
  public Result orFail() {
    if (exit != 0) {
      throw new AssertionError(toString());
    }
    return this;
  }

  /** Both outputs, for searches that do not care which one it was. */
  public String all() {
    return out + err;
  }

  @Override
  public String toString() {
    return "%s: exit code %d%n--- stdout%n%s--- stderr%n%s"
        .formatted(String.join(" ", command), exit, out, err);
  }
}
