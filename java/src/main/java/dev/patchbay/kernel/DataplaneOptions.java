// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.abi.AbiLimits;
import dev.patchbay.table.Capacity;
import java.nio.file.Path;

/**
 * How to open a dataplane.
 *
 * @param bpfDir where pins go: a directory in a bpf file system, made if it is missing
 * @param capacity sizes of the maps that hold Services
 * @param affinity entries of the {@code affinity} map at most
 * @param udpFlows entries of the {@code udp_flows} map at most
 * @param logDirectory where the verifier's log is left if it refuses a program
 */
public record DataplaneOptions(
    Path bpfDir, Capacity capacity, int affinity, int udpFlows, Path logDirectory) {
  /**
   * Clients of Services with affinity that a node remembers. The kernel makes all entries of such a
   * map at once, and each CPU keeps up to 128 of them for itself: so there are some for each CPU,
   * and a node with two does not pay for one with a hundred.
   */
  private static final int LEAST_AFFINITY = 16_384;

  private static final int AFFINITY_PER_CPU = 2048;

  /** Two for each Service beyond the fourth that one unconnected UDP socket talks to. */
  private static final int LEAST_UDP_FLOWS = 8192;

  private static final int UDP_FLOWS_PER_CPU = 1024;

  public DataplaneOptions {
    bpfDir = bpfDir.toAbsolutePath().normalize();
    if (affinity < 1 || udpFlows < 1) {
      throw new IllegalArgumentException("affinity=" + affinity + " udpFlows=" + udpFlows);
    }
  }

  /** With the sizes of {@code abi.h}. */
  public static DataplaneOptions defaults(Path bpfDir, Path logDirectory) {
    return new DataplaneOptions(
        bpfDir,
        AbiLimits.DEFAULT_CAPACITY,
        AbiLimits.DEFAULT_AFFINITY,
        AbiLimits.DEFAULT_UDP_FLOWS,
        logDirectory);
  }

  /** Entries of {@code affinity} on a node with so many CPUs. */
  int affinityEntries(int cpus) {
    return Math.min(affinity, Math.max(LEAST_AFFINITY, cpus * AFFINITY_PER_CPU));
  }

  /** Entries of {@code udp_flows} on a node with so many CPUs. */
  int udpFlowEntries(int cpus) {
    return Math.min(udpFlows, Math.max(LEAST_UDP_FLOWS, cpus * UDP_FLOWS_PER_CPU));
  }

  DataplaneOptions withCapacity(Capacity other) {
    return new DataplaneOptions(bpfDir, other, affinity, udpFlows, logDirectory);
  }
}
