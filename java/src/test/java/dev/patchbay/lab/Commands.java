// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs commands to their end. */
public final class Commands {
  /** Long enough for anything on a loaded machine. */
  public static final Duration PATIENCE = Duration.ofSeconds(60);

  private Commands() {}

  /** Runs a command that has to succeed. */
  public static Result run(String... command) {
    return run(PATIENCE, List.of(command), "").orFail();
  }

  /** Runs a command that has to succeed, with an input. */
  public static Result feed(String input, String... command) {
    return run(PATIENCE, List.of(command), input).orFail();
  }

  /**
   * Runs a command.
   *
   * @throws AssertionError if it takes longer than {@code patience}; it is killed then
   */
  public static Result run(Duration patience, List<String> command, String input) {
    try {
      Path in = Files.createTempFile("patchbay-lab", ".in");
      Path out = Files.createTempFile("patchbay-lab", ".out");
      Path err = Files.createTempFile("patchbay-lab", ".err");
      try {
        Files.writeString(in, input);
        Process process =
            new ProcessBuilder(command)
                .redirectInput(in.toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start();
        if (!process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS)) {
          process.destroyForcibly().waitFor();
          throw new AssertionError(
              "%s: still running after %s%n%s%s"
                  .formatted(String.join(" ", command), patience, read(out), read(err)));
        }
        return new Result(command, process.exitValue(), read(out), read(err));
      } finally {
        Files.deleteIfExists(in);
        Files.deleteIfExists(out);
        Files.deleteIfExists(err);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted while running " + command, e);
    }
  }

  static String read(Path file) throws IOException {
    return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
  }
}
