// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A cgroup v2 directory of the lab's own. */
final class Cgroup {
  private final Path path;

  private Cgroup(Path path) {
    this.path = path;
  }

  /** Where the cgroup v2 hierarchy is mounted. */
  static Path mount() {
    return Mounts.first("cgroup2")
        .orElseThrow(() -> new AssertionError("no cgroup2 file system is mounted"));
  }

  static Cgroup create(Path path) {
    try {
      Files.createDirectory(path);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new Cgroup(path);
  }

  static Cgroup existing(Path path) {
    return new Cgroup(path);
  }

  Path path() {
    return path;
  }

  Cgroup child(String name) {
    return create(path.resolve(name));
  }

  /** Kills all processes in it and below it, and waits until none is left. */
  void killProcesses() {
    Eventually.within(
        Commands.PATIENCE,
        () -> {
          List<Long> pids = processes();
          pids.forEach(pid -> ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly));
          if (!pids.isEmpty()) {
            throw new AssertionError("processes " + pids + " are still in " + path);
          }
        });
  }

  /** Kills what is in it and removes it with all that is below. */
  void remove() {
    if (!Files.isDirectory(path)) {
      return;
    }
    killProcesses();
    Eventually.within(Commands.PATIENCE, () -> removeTree(path));
  }

  private static void removeTree(Path directory) {
    try {
      for (Path child : children(directory)) {
        removeTree(child);
      }
      Files.deleteIfExists(directory);
    } catch (IOException e) {
      throw new AssertionError("cannot remove " + directory + ": " + e.getMessage(), e);
    }
  }

  private List<Long> processes() {
    List<Long> pids = new ArrayList<>();
    List<Path> todo = new ArrayList<>(List.of(path));
    while (!todo.isEmpty()) {
      Path directory = todo.removeLast();
      try {
        if (Files.isDirectory(directory)) {
          Files.readAllLines(directory.resolve("cgroup.procs"))
              .forEach(line -> pids.add(Long.valueOf(line)));
          todo.addAll(children(directory));
        }
      } catch (NoSuchFileException e) {
        // somebody removed it since it was found, so it is empty
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return pids;
  }

  private static List<Path> children(Path directory) throws IOException {
    List<Path> children = new ArrayList<>();
    try (DirectoryStream<Path> entries =
        Files.newDirectoryStream(directory, entry -> Files.isDirectory(entry))) {
      entries.forEach(children::add);
    }
    return children;
  }
}
