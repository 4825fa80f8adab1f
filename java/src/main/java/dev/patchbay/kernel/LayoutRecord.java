// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotLinkException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The layout of a pinned map, beside its pin: the text of a symbolic link, which is all that a bpf
 * file system keeps besides pins. The kernel knows the same from BTF, but tells it only to those
 * who have {@code CAP_SYS_ADMIN}.
 */
final class LayoutRecord {
  /** What the text begins with; nothing of ours begins otherwise. */
  private static final String MARK = "layout: ";

  /** PATH_MAX, with the byte that ends it. */
  private static final int LONGEST = 4095;

  private LayoutRecord() {}

  /** The layout that is recorded; empty if none is. */
  static Optional<String> read(Path record) throws KernelException {
    try {
      String text = Files.readSymbolicLink(record).toString();
      return text.startsWith(MARK) ? Optional.of(text.substring(MARK.length())) : Optional.empty();
    } catch (NoSuchFileException | NotLinkException none) {
      return Optional.empty();
    } catch (IOException failed) {
      throw KernelException.ofIo(new Operation("read", "layout", record.toString()), failed);
    }
  }

  /** Whether there is a record of ours. */
  static boolean isOurs(Path record) throws KernelException {
    return Files.isSymbolicLink(record) && read(record).isPresent();
  }

  /**
   * Records a layout, in place of another if there is one.
   *
   * @return false if it is recorded already
   */
  static boolean write(Path record, String layout) throws KernelException {
    if (Files.exists(record, LinkOption.NOFOLLOW_LINKS)
        && read(record).equals(Optional.of(layout))) {
      return false;
    }
    Operation operation = new Operation("record", "layout", record.toString());
    if (MARK.length() + layout.length() > LONGEST) {
      throw new KernelException.Other(operation, 0, "it takes more than " + LONGEST + " bytes");
    }
    try {
      if (Files.exists(record, LinkOption.NOFOLLOW_LINKS)) {
        Files.delete(record);
      }
      Path ignored = Files.createSymbolicLink(record, Path.of(MARK + layout));
      return true;
    } catch (IOException failed) {
      throw KernelException.ofIo(operation, failed);
    }
  }
}
