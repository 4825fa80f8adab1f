// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.kernel.sys.Errno;
import dev.patchbay.kernel.sys.Libc;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/** The directories of pins: making them, and the lock that one writer holds. */
final class PinDirectory {
  private static final FileAttribute<Set<PosixFilePermission>> ROOT_ONLY =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

  private PinDirectory() {}

  /** Makes what is missing. */
  static void create(Pins pins, Undo undo) throws KernelException {
    makeAll(pins.maps(), undo);
    makeAll(pins.links(), undo);
    makeAll(pins.layouts(), undo);
  }

  private static void makeAll(Path directory, Undo undo) throws KernelException {
    if (Files.isDirectory(directory)) {
      return;
    }
    Path parent = directory.getParent();
    if (parent != null) {
      makeAll(parent, undo);
    }
    try {
      Files.createDirectory(directory, ROOT_ONLY);
    } catch (IOException failed) {
      throw KernelException.ofIo(
          new Operation("make", "directory for pins", directory.toString()), failed);
    }
    undo.deleting(directory);
  }

  /**
   * Takes the lock that the one writer of a dataplane holds; it goes with the descriptor.
   *
   * @throws KernelException.Busy if another process has it
   */
  static Fd lock(Pins pins) throws KernelException {
    Operation operation = new Operation("lock", "directory for pins", pins.version().toString());
    Fd fd = Fd.of(Libc.openDirectory(pins.version()), operation);
    int result = Libc.flock(fd.number());
    if (result < 0) {
      fd.close();
      throw Errno.EAGAIN.is(result)
          ? new KernelException.Busy(
              operation,
              result,
              "another patchbay writes this dataplane: "
                  + LockHolder.of(pins.version())
                      .map(LockHolder::toString)
                      .orElse("a process that cannot be seen from here")
                  + "; stop it, or choose another --bpf-dir")
          : KernelException.of(result, operation);
    }
    return fd;
  }
}
