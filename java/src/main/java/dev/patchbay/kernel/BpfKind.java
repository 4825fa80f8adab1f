// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What kind of object a descriptor from bpffs stands for. The kernel has no call that says so. */
enum BpfKind {
  MAP,
  PROGRAM,
  LINK,
  OTHER;

  static BpfKind of(int fd) {
    String target;
    try {
      target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + fd)).toString();
    } catch (IOException unreadable) {
      return OTHER;
    }
    // anon_inode:bpf-map, bpf-prog; bpf_link, which 5.7 called bpf-link.
    return switch (target.substring(target.indexOf(':') + 1)) {
      case "bpf-map" -> MAP;
      case "bpf-prog" -> PROGRAM;
      case "bpf_link", "bpf-link" -> LINK;
      default -> OTHER;
    };
  }
}
