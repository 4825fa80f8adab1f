// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench.programming;

import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Mounts;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * What processes made the kernel allocate: maps as well as rules, whoever holds them now. It is the
 * memory controller that knows; where that is in a hierarchy of version 1, processes are put into a
 * cgroup of its own there.
 */
final class KernelMemory implements AutoCloseable {
  private final Path directory;
  private final boolean version1;

  private KernelMemory(Path directory, boolean version1) {
    this.directory = directory;
    this.version1 = version1;
  }

  /**
   * For the processes of a cgroup; empty where the machine does not say. It is closed with the lab.
   *
   * @param group no process is in a directory above it but the root
   */
  static Optional<KernelMemory> of(Lab lab, ProcessGroup group) {
    Path mount = Mounts.first("cgroup2").orElseThrow();
    Path below = mount.relativize(group.cgroup());
    Optional<Path> version1 = controller(read(Path.of("/proc/mounts")));
    try {
      if (version1.isPresent()) {
        String name = below.toString().replace('/', '-');
        Path directory = version1.get().resolve(name);
        KernelMemory memory = new KernelMemory(Files.createDirectories(directory), true);
        lab.onClose(memory::close);
        return Optional.of(memory);
      }
      if (!words(mount.resolve("cgroup.subtree_control")).contains("memory")) {
        return Optional.empty();
      }
      Path from = mount;
      for (Path part : below) {
        if (!from.equals(mount)) {
          Files.writeString(from.resolve("cgroup.subtree_control"), "+memory");
        }
        from = from.resolve(part);
      }
      return Optional.of(new KernelMemory(group.cgroup(), false));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** Where the memory controller of version 1 is mounted, by {@code /proc/mounts}. */
  static Optional<Path> controller(String mounts) {
    return mounts
        .lines()
        .map(line -> line.split(" ", 5))
        .filter(fields -> fields[2].equals("cgroup"))
        .filter(fields -> Arrays.asList(fields[3].split(",", -1)).contains("memory"))
        .map(fields -> Path.of(fields[1]))
        .findFirst();
  }

  /** Counts what a process allocates from now on, and what it starts. */
  void add(long pid) {
    if (version1) {
      try {
        Files.writeString(directory.resolve("cgroup.procs"), Long.toString(pid));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** Bytes now; of processes that live their stacks, page tables and buffers are in it. */
  long bytes() {
    return version1
        ? Long.parseLong(read(directory.resolve("memory.kmem.usage_in_bytes")).strip())
        : kernel(read(directory.resolve("memory.stat")));
  }

  /** The kernel's part, of {@code memory.stat} in a hierarchy of version 2; Linux 5.18. */
  static long kernel(String stat) {
    return stat.lines()
        .filter(line -> line.startsWith("kernel "))
        .mapToLong(line -> Long.parseLong(line.substring(7)))
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("memory.stat has no \"kernel\": " + stat));
  }

  private static List<String> words(Path file) {
    return Arrays.asList(read(file).strip().split(" ", -1));
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Kills what is left of its processes, where the cgroup is its own, and removes that. */
  @Override
  public void close() {
    if (version1 && Files.exists(directory)) {
      Eventually.soon(
          () -> {
            read(directory.resolve("cgroup.procs"))
                .lines()
                .map(Long::valueOf)
                .forEach(pid -> ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly));
            try {
              Files.delete(directory);
            } catch (IOException e) {
              throw new AssertionError("cannot remove " + directory, e);
            }
          });
    }
  }
}
