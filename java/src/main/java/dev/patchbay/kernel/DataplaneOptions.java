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
 * @param affinity entries of the {@code affinity} map
 * @param udpFlows entries of the {@code udp_flows} map
 * @param logDirectory where the verifier's log is left if it refuses a program
 */
public record DataplaneOptions(
    Path bpfDir, Capacity capacity, int affinity, int udpFlows, Path logDirectory) {
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

  DataplaneOptions withCapacity(Capacity other) {
    return new DataplaneOptions(bpfDir, other, affinity, udpFlows, logDirectory);
  }
}
