// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.table.Capacity;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * A place of its own for a test that needs root: a directory in a bpf file system, cgroups, and a
 * directory for logs. Closing removes everything, whatever the test did.
 */
final class Scratch implements AutoCloseable {
  private static final AtomicInteger NUMBER = new AtomicInteger();
  private static final Capacity SMALL = new Capacity(64, 32, 256);

  private final String name =
      "pbktest-" + ProcessHandle.current().pid() + "-" + NUMBER.incrementAndGet();
  private final Path bpfDir = Path.of("/sys/fs/bpf").resolve(name);
  private final Path logs;
  private final Deque<Path> cgroups = new ArrayDeque<>();
  private final Opened open = new Opened();

  Scratch() throws Exception {
    if (!System.getProperty("user.name").equals("root")) {
      throw new IllegalStateException("this test loads BPF programs: run it as root");
    }
    BpfFs.ensure(bpfDir);
    logs = Files.createTempDirectory(name);
  }

  Path bpfDir() {
    return bpfDir;
  }

  Path logs() {
    return logs;
  }

  Pins pins() {
    return new Pins(bpfDir);
  }

  DataplaneOptions options() {
    return options(SMALL);
  }

  DataplaneOptions options(Capacity capacity) {
    return new DataplaneOptions(bpfDir, capacity, 64, 64, logs);
  }

  /** Opens a dataplane that is closed with the scratch, if the test has not done so. */
  Dataplane dataplane() throws KernelException {
    return closing(Dataplane.open(options()));
  }

  <T extends AutoCloseable> T closing(T thing) {
    return open.add(thing);
  }

  /** A new, empty cgroup at the top of the hierarchy. */
  Path cgroup(String suffix) throws Exception {
    return cgroupBelow(Cgroups.root().orElseThrow(), name + suffix);
  }

  Path cgroupBelow(Path parent, String child) throws IOException {
    Path cgroup = Files.createDirectory(parent.resolve(child));
    cgroups.push(cgroup);
    return cgroup;
  }

  /** Everything below the directory for pins, as paths relative to it, sorted. */
  List<String> pinned() throws IOException {
    if (!Files.exists(bpfDir)) {
      return List.of();
    }
    try (Stream<Path> paths = Files.walk(bpfDir)) {
      return paths
          .filter(Files::isRegularFile)
          .map(path -> bpfDir.relativize(path).toString())
          .sorted()
          .toList();
    }
  }

  @Override
  public void close() throws IOException {
    open.close();
    removeTree(bpfDir);
    removeTree(logs);
    while (!cgroups.isEmpty()) {
      Files.deleteIfExists(cgroups.pop());
    }
  }

  private static void removeTree(Path directory) throws IOException {
    if (Files.exists(directory)) {
      try (Stream<Path> paths = Files.walk(directory)) {
        paths.sorted(Comparator.reverseOrder()).forEach(Scratch::delete);
      }
    }
  }

  private static void delete(Path path) {
    try {
      Files.delete(path);
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }
}
