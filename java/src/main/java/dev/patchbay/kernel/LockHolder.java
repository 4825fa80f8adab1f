// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The process that holds a lock on a file or directory.
 *
 * @param pid its number
 * @param command what it runs, shortened; empty if that cannot be read
 */
public record LockHolder(long pid, String command) {
  private static final Path LOCKS = Path.of("/proc/locks");
  private static final String MAIN = "dev.patchbay.agent.Main";
  private static final String JAR = "patchbay.jar";
  private static final int SHOWN = 160;

  /**
   * Asks the kernel ({@code /proc/locks}).
   *
   * @return empty if nobody holds one, or somebody whose process cannot be seen from here
   */
  public static Optional<LockHolder> of(Path locked) {
    try {
      long device = (long) Files.getAttribute(locked, "unix:dev");
      long inode = (long) Files.getAttribute(locked, "unix:ino");
      return holder(Files.readString(LOCKS), device, inode).map(LockHolder::of);
    } catch (IOException | UnsupportedOperationException unreadable) {
      return Optional.empty();
    }
  }

  /** The process of that number. */
  public static LockHolder of(long pid) {
    try {
      byte[] line = Files.readAllBytes(Path.of("/proc/" + pid + "/cmdline"));
      return new LockHolder(pid, command(new String(line, StandardCharsets.UTF_8)));
    } catch (IOException gone) {
      return new LockHolder(pid, "");
    }
  }

  /**
   * Who has a lock on a file. A line is {@code 1: FLOCK ADVISORY WRITE 4711 00:1a:2342 0 EOF}: the
   * process, and of the file the device in hexadecimal and the inode; with an arrow behind the
   * number if it only waits.
   */
  static Optional<Long> holder(String locks, long device, long inode) {
    // as in gnu_dev_major() and gnu_dev_minor()
    long major = ((device >>> 8) & 0xfff) | ((device >>> 32) & 0xffff_f000L);
    long minor = (device & 0xff) | ((device >>> 12) & 0xffff_ff00L);
    String file = "%02x:%02x:%d".formatted(major, minor, inode);
    return locks
        .lines()
        .map(line -> line.strip().split("\\s+"))
        .filter(fields -> fields.length > 5 && fields[5].equals(file))
        .map(fields -> Long.parseLong(fields[4]))
        .filter(pid -> pid > 0)
        .findFirst();
  }

  /** Of the command line of a JVM that runs Patchbay, what somebody typed. */
  static String command(String zeroSeparated) {
    List<String> words = List.of(zeroSeparated.split("\0"));
    for (int i = 0; i < words.size(); i++) {
      if (words.get(i).equals(MAIN) || words.get(i).endsWith(JAR)) {
        return shortened("patchbay " + String.join(" ", words.subList(i + 1, words.size())));
      }
    }
    return shortened(String.join(" ", words));
  }

  private static String shortened(String text) {
    return text.length() <= SHOWN ? text.strip() : text.substring(0, SHOWN).strip() + "...";
  }

  /** {@code process 4711 (patchbay run --manifests=/etc/patchbay)}. */
  @Override
  public String toString() {
    return "process " + pid + (command.isEmpty() ? "" : " (" + command + ")");
  }
}
