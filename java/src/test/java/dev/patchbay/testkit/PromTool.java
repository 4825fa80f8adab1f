// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Prometheus' own judge of what it is given. */
public final class PromTool {
  private PromTool() {}

  /**
   * What {@code promtool check metrics} says of a text: a line for each complaint.
   *
   * @throws AssertionError if it cannot read the text at all
   */
  public static List<String> checkMetrics(String text) {
    return run(text, "check", "metrics");
  }

  /** What {@code promtool check rules} says of a file with rules; empty if all is well. */
  public static List<String> checkRules(String text) {
    try {
      Path file = Files.createTempFile("rules", ".yaml");
      try {
        Files.writeString(file, text);
        return run("", "check", "rules", file.toString()).stream()
            .filter(line -> line.contains("FAILED") || line.contains("error"))
            .toList();
      } finally {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<String> run(String input, String... arguments) {
    try {
      Path in = Files.createTempFile("promtool", ".in");
      Path out = Files.createTempFile("promtool", ".out");
      try {
        Files.writeString(in, input);
        List<String> command = new ArrayList<>(List.of("promtool"));
        command.addAll(List.of(arguments));
        Process process =
            new ProcessBuilder(command)
                .redirectInput(in.toFile())
                .redirectErrorStream(true)
                .redirectOutput(out.toFile())
                .start();
        if (!process.waitFor(30, TimeUnit.SECONDS)) {
          process.destroyForcibly();
          throw new AssertionError("promtool hangs");
        }
        List<String> lines = Files.readAllLines(out);
        // 3: readable, with complaints.
        if (process.exitValue() != 0
            && process.exitValue() != 3
            && arguments[1].equals("metrics")) {
          throw new AssertionError(String.join("\n", lines));
        }
        return lines;
      } finally {
        Files.delete(in);
        Files.delete(out);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
