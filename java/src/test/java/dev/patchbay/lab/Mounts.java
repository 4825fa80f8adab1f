// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** What is mounted where. */
public final class Mounts {
  private Mounts() {}

  /** The first mount point of a type of file system, from {@code /proc/mounts}. */
  public static Optional<Path> first(String type) {
    try {
      return Files.readAllLines(Path.of("/proc/mounts")).stream()
          .map(line -> line.split(" ", 4))
          .filter(fields -> fields[2].equals(type))
          .map(fields -> Path.of(fields[1]))
          .findFirst();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
