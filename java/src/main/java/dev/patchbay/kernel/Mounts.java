// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The mount table of this process.
 *
 * @param entries in order; a later one hides an earlier one on the same directory
 */
record Mounts(List<Entry> entries) {
  private static final Path TABLE = Path.of("/proc/self/mounts");

  Mounts {
    entries = List.copyOf(entries);
  }

  /**
   * One mount.
   *
   * @param target where
   * @param type of the file system, for example {@code cgroup2}
   */
  record Entry(Path target, String type) {}

  /** Reads the table as it is now. */
  static Mounts read() throws KernelException {
    try {
      return parse(Files.readString(TABLE));
    } catch (IOException failed) {
      throw KernelException.ofIo(new Operation("read", TABLE.toString()), failed);
    }
  }

  /** Reads the format of man 5 fstab; lines that are not in it are skipped. */
  static Mounts parse(String table) {
    List<Entry> entries = new ArrayList<>();
    for (String line : table.lines().toList()) {
      String[] fields = line.split(" ", -1);
      if (fields.length >= 3) {
        entries.add(new Entry(Path.of(unescape(fields[1])), fields[2]));
      }
    }
    return new Mounts(entries);
  }

  /** The file system that {@code path} lies in. */
  Optional<Entry> covering(Path path) {
    Entry best = null;
    for (Entry entry : entries) {
      boolean covers = path.startsWith(entry.target());
      if (covers
          && (best == null || entry.target().getNameCount() >= best.target().getNameCount())) {
        best = entry;
      }
    }
    return Optional.ofNullable(best);
  }

  /** Where file systems of a type are mounted, and not hidden by another. */
  List<Path> ofType(String type) {
    return entries.stream()
        .filter(entry -> entry.type().equals(type))
        .filter(entry -> covering(entry.target()).equals(Optional.of(entry)))
        .map(Entry::target)
        .distinct()
        .toList();
  }

  /** Space, tab, newline and backslash are written as three octal digits. */
  static String unescape(String field) {
    StringBuilder text = new StringBuilder(field.length());
    for (int i = 0; i < field.length(); i++) {
      char c = field.charAt(i);
      if (c == '\\'
          && i + 3 < field.length()
          && field.substring(i + 1, i + 4).matches("[0-7]{3}")) {
        text.append((char) Integer.parseInt(field.substring(i + 1, i + 4), 8));
        i += 3;
      } else {
        text.append(c);
      }
    }
    return text.toString();
  }
}
