// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** The privileges that the agent needs, from {@code capabilities(7)}. */
enum Capabilities {
  /** To attach programs to cgroups, and to ask what is attached. */
  CAP_NET_ADMIN(12),
  /** To open links and programs by number, and to mount a bpf file system. */
  CAP_SYS_ADMIN(21),
  /** To load programs and make maps; CAP_SYS_ADMIN includes it. */
  CAP_BPF(39);

  private final int bit;

  Capabilities(int bit) {
    this.bit = bit;
  }

  /**
   * Which of them a process lacks.
   *
   * @param status the text of {@code /proc/PID/status}
   */
  static List<Capabilities> missing(String status) {
    long effective =
        status
            .lines()
            .filter(line -> line.startsWith("CapEff:"))
            .map(line -> HexFormat.fromHexDigitsToLong(line.substring(7).strip()))
            .findFirst()
            .orElse(0L);
    List<Capabilities> missing = new ArrayList<>();
    for (Capabilities capability : values()) {
      boolean implied = capability == CAP_BPF && CAP_SYS_ADMIN.in(effective);
      if (!implied && !capability.in(effective)) {
        missing.add(capability);
      }
    }
    return missing;
  }

  private boolean in(long set) {
    return (set >>> bit & 1) == 1;
  }
}
