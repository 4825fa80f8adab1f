// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.kernel.sys.Errno;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * The privileges that the agent needs, from {@code capabilities(7)}.
 *
 * <p>{@code CAP_SYS_RESOURCE} is not among them: libbpf lifts the limit of locked memory with it,
 * which counts for BPF before Linux 5.11 alone, and only if that limit is low.
 */
enum Capabilities {
  /** To attach programs to cgroups, and to ask what is attached. */
  CAP_NET_ADMIN(12),
  /**
   * To have programs verified in reasonable time: without it the verifier follows the paths that a
   * processor might take by speculation too, and gives up at a million instructions, long after.
   */
  CAP_PERFMON(38),
  /** To load programs and make maps. */
  CAP_BPF(39);

  /** Includes the two above; and to enter other network namespaces. */
  private static final int CAP_SYS_ADMIN = 21;

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
    long effective = effective(status);
    List<Capabilities> missing = new ArrayList<>();
    for (Capabilities capability : values()) {
      boolean implied = capability != CAP_NET_ADMIN && in(effective, CAP_SYS_ADMIN);
      if (!implied && !in(effective, capability.bit)) {
        missing.add(capability);
      }
    }
    return missing;
  }

  /** Whether a process may enter other network namespaces; it is of use, and not needed. */
  static boolean mayEnterNamespaces(String status) {
    return in(effective(status), CAP_SYS_ADMIN);
  }

  private static long effective(String status) {
    return status
        .lines()
        .filter(line -> line.startsWith("CapEff:"))
        .map(line -> HexFormat.fromHexDigitsToLong(line.substring(7).strip()))
        .findFirst()
        .orElse(0L);
  }

  /**
   * Checks this process.
   *
   * @throws KernelException.Denied naming what it lacks
   */
  static void require() throws KernelException {
    Operation operation = new Operation("use", "BPF");
    try {
      List<Capabilities> missing = missing(Files.readString(Path.of("/proc/self/status")));
      if (!missing.isEmpty()) {
        throw new KernelException.Denied(
            operation, Errno.EPERM.number(), "run as root, or grant " + missing);
      }
    } catch (IOException failed) {
      throw KernelException.ofIo(operation, failed);
    }
  }

  private static boolean in(long set, int bit) {
    return (set >>> bit & 1) == 1;
  }
}
