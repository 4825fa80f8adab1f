// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.abi.BackendStatsCodec;
import dev.patchbay.abi.ServiceStatsCodec;
import dev.patchbay.kernel.sys.Bpf;
import dev.patchbay.observe.BackendStats;
import dev.patchbay.observe.BackendStatsKey;
import dev.patchbay.observe.ServiceStats;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;

/** Reads what the programs count for each Service port and backend, in batches. Any thread. */
final class StatsReader {
  private StatsReader() {}

  /** What was counted, by the id of the Service port. */
  static Map<Long, ServiceStats> services(BpfMap map) throws KernelException {
    int cpus = cpus();
    Map<Long, ServiceStats> found = new HashMap<>();
    map.forEach(
        (keys, values, count) -> {
          for (int i = 0; i < count; i++) {
            found.put(
                keys.getAtIndex(ValueLayout.JAVA_LONG, i),
                ServiceStatsCodec.sum(values, (long) i * cpus * ServiceStatsCodec.SIZE, cpus));
          }
        });
    return found;
  }

  /** What was counted, by the id of the Service port and the backend. */
  static Map<BackendStatsKey, BackendStats> backends(BpfMap map) throws KernelException {
    int cpus = cpus();
    Map<BackendStatsKey, BackendStats> found = new HashMap<>();
    map.forEach(
        (keys, values, count) -> {
          for (int i = 0; i < count; i++) {
            long at = (long) i * BackendStatsCodec.KEY_SIZE;
            found.put(
                new BackendStatsKey(
                    BackendStatsCodec.statsId(keys, at), BackendStatsCodec.backend(keys, at)),
                BackendStatsCodec.sum(values, (long) i * cpus * BackendStatsCodec.SIZE, cpus));
          }
        });
    return found;
  }

  private static int cpus() throws KernelException {
    return KernelException.check(
        Bpf.libbpf_num_possible_cpus(), new Operation("count", "possible CPUs"));
  }
}
