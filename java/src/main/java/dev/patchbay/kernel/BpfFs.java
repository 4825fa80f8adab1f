// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.kernel.sys.Errno;
import dev.patchbay.kernel.sys.Libc;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The file system that pins live in. */
final class BpfFs {
  private static final Path USUAL = Path.of("/sys/fs/bpf");

  private BpfFs() {}

  /** What lies under a directory for pins. */
  sealed interface State {
    /** A bpf file system. */
    record Mounted(Path target) implements State {}

    /** Nothing yet, but one can be mounted at the usual place. */
    record Mountable(Path target) implements State {}

    /** Another file system. */
    record Elsewhere(String type, Path target) implements State {}
  }

  /**
   * Looks at {@code bpfDir}, which need not exist, by way of the nearest directory above it that
   * does.
   */
  static State look(Path bpfDir) throws KernelException {
    Path existing = nearestExisting(bpfDir.toAbsolutePath().normalize());
    Mounts.Entry mount;
    try {
      mount = Mounts.read().covering(existing.toRealPath()).orElse(new Mounts.Entry(USUAL, "none"));
    } catch (IOException failed) {
      throw KernelException.ofIo(new Operation("look at", existing.toString()), failed);
    }
    if (mount.type().equals("bpf")) {
      return new State.Mounted(mount.target());
    }
    if (existing.startsWith(USUAL)) {
      return new State.Mountable(USUAL);
    }
    return new State.Elsewhere(mount.type(), mount.target());
  }

  private static Path nearestExisting(Path path) {
    for (Path at = path; at != null; at = at.getParent()) {
      if (Files.exists(at)) {
        return at;
      }
    }
    return Path.of("/");
  }

  /** Makes sure that {@code bpfDir} lies in a bpf file system; mounts one at the usual place. */
  static void ensure(Path bpfDir) throws KernelException {
    Operation operation = new Operation("use", "directory for pins", bpfDir.toString());
    switch (look(bpfDir)) {
      case State.Mounted(Path target) -> checkNames(bpfDir, target, operation);
      case State.Mountable(Path target) -> mount(target);
      case State.Elsewhere(String type, Path target) ->
          throw new KernelException.Incompatible(
              operation,
              "file system " + type + " at " + target,
              "a bpf file system",
              "choose --bpf-dir below " + USUAL + ", or: " + mountCommand(bpfDir));
    }
  }

  /** This alone takes CAP_SYS_ADMIN; a container leaves it to its host. */
  private static void mount(Path target) throws KernelException {
    Operation mount = new Operation("mount", "bpf file system", target.toString());
    int result = Libc.mountBpf(target);
    if (result < 0 && Errno.of(result) == Errno.EPERM) {
      throw new KernelException.Denied(
          mount, result, "run as root on the host: " + mountCommand(target));
    }
    KernelException.check(result, mount);
  }

  static String mountCommand(Path bpfDir) {
    return "mount -t bpf bpf " + bpfDir;
  }

  /** The file system keeps names with a dot to itself (bpf_lookup in kernel/bpf/inode.c). */
  private static void checkNames(Path bpfDir, Path target, Operation operation)
      throws KernelException {
    Path inside = target.relativize(bpfDir.toAbsolutePath().normalize());
    if (inside.toString().contains(".")) {
      throw new KernelException.Incompatible(
          operation,
          "a dot in " + inside,
          "names without a dot, which a bpf file system refuses",
          "choose another --bpf-dir");
    }
  }
}
