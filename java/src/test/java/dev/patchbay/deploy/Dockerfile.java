// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.deploy;

import dev.patchbay.lab.Patchbay;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The container recipe. */
public final class Dockerfile {
  static final Path FILE = Patchbay.root().resolve("java/src/main/docker/Dockerfile");

  private Dockerfile() {}

  /** Its instructions, each as words; lines that go on are joined, comments are left out. */
  static List<List<String>> instructions() {
    try {
      return Files.readString(FILE)
          .replaceAll("(?m)^#.*\n", "")
          .replaceAll("\\\\\n", " ")
          .lines()
          .filter(line -> !line.isBlank())
          .map(line -> List.of(line.strip().split("\\s+")))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What it calls {@code jlink} with. */
  public static List<String> jlinkArguments() {
    return instructions().stream()
        .filter(words -> words.size() > 1 && words.get(1).endsWith("/jlink"))
        .map(words -> words.subList(2, words.size()))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no jlink in " + FILE));
  }
}
