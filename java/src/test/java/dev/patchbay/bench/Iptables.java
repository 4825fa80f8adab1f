// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Which iptables kube-proxy uses: the one that works on xtables, where there is one, in place of
 * the one that writes nftables, which takes many times as long for so many rules and is slower for
 * packets, too. That is to kube-proxy's advantage.
 */
public final class Iptables {
  private static final List<String> DIRECTORIES = List.of("/usr/sbin", "/sbin", "/usr/local/sbin");
  private static final Path KERNEL = Path.of("/proc/net/ip_tables_names");

  private Iptables() {}

  /** A value of {@code $PATH} on which it is found first; puts links into a directory for that. */
  public static String path(Path directory) {
    String usual = System.getenv("PATH");
    Optional<Path> tools = legacy();
    if (tools.isEmpty()) {
      return usual;
    }
    try {
      for (String family : List.of("iptables", "ip6tables")) {
        for (String tool : List.of("", "-restore", "-save")) {
          Files.createSymbolicLink(
              directory.resolve(family + tool), tools.get().resolve(family + "-legacy" + tool));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return directory + ":" + usual;
  }

  /** Where it is, if the kernel knows it too. */
  private static Optional<Path> legacy() {
    if (!Files.exists(KERNEL)) {
      return Optional.empty();
    }
    return DIRECTORIES.stream()
        .map(Path::of)
        .filter(directory -> Files.isExecutable(directory.resolve("iptables-legacy-restore")))
        .findFirst();
  }

  /** For people. */
  static String describe() {
    return legacy().isPresent() ? "legacy (xtables)" : "the system's";
  }
}
