// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench;

import dev.patchbay.lab.Patchbay;
import java.nio.file.Files;
import java.nio.file.Path;

/** Files that {@code make} builds for the benchmarks. */
public final class Tools {
  private Tools() {}

  /** A program or BPF object of the benchmarks, by its name. */
  public static Path built(String name) {
    for (String directory : new String[] {"java/target/bench", "bpf/.output/bench"}) {
      Path file = Patchbay.root().resolve(directory).resolve(name);
      if (Files.isReadable(file)) {
        return file;
      }
    }
    throw new IllegalStateException(name + " is missing: start the benchmarks with make bench");
  }
}
