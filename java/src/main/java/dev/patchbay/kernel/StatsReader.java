// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.abi.BackendStatsCodec;
import dev.patchbay.abi.ServiceStatsCodec;
import dev.patchbay.kernel.sys.Bpf;
import dev.patchbay.observe.BackendStats;
import dev.patchbay.observe.BackendStatsKey;
import dev.patchbay.observe.ServiceStats;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Set;
import java.util.function.BiConsumer;

/** Reads what the programs count for each Service port and backend, in batches. Any thread. */
final class StatsReader {
  private StatsReader() {}

  /** Tells what was counted, by the id of the Service port. */
  static void services(BpfMap map, BiConsumer<Long, ServiceStats> to) throws KernelException {
    int cpus = cpus();
    map.forEach(
        (keys, values, count) -> {
          for (int i = 0; i < count; i++) {
            to.accept(
                keys.getAtIndex(ValueLayout.JAVA_LONG, i),
                ServiceStatsCodec.sum(values, (long) i * cpus * ServiceStatsCodec.SIZE, cpus));
          }
        });
  }

  /** Tells what was counted, by the id of the Service port and the backend. */
  static void backends(BpfMap map, BiConsumer<BackendStatsKey, BackendStats> to)
      throws KernelException {
    int cpus = cpus();
    map.forEach(
        (keys, values, count) -> {
          for (int i = 0; i < count; i++) {
            long at = (long) i * BackendStatsCodec.KEY_SIZE;
            to.accept(
                new BackendStatsKey(
                    BackendStatsCodec.statsId(keys, at), BackendStatsCodec.backend(keys, at)),
                BackendStatsCodec.sum(values, (long) i * cpus * BackendStatsCodec.SIZE, cpus));
          }
        });
  }

  /** Deletes what was counted for Service ports. */
  static void forgetServices(BpfMap map, Set<Long> ids) throws KernelException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment keys =
          arena.allocateFrom(
              ValueLayout.JAVA_LONG, ids.stream().mapToLong(Long::longValue).toArray());
      map.delete(keys, ids.size());
    }
  }

  /** Deletes what was counted for backends. */
  static void forgetBackends(BpfMap map, Set<BackendStatsKey> gone) throws KernelException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment keys =
          arena.allocate((long) gone.size() * BackendStatsCodec.KEY_SIZE, Long.BYTES);
      long at = 0;
      for (BackendStatsKey key : gone) {
        BackendStatsCodec.encode(key, keys, at);
        at += BackendStatsCodec.KEY_SIZE;
      }
      map.delete(keys, gone.size());
    }
  }

  private static int cpus() throws KernelException {
    return KernelException.check(
        Bpf.libbpf_num_possible_cpus(), new Operation("count", "possible CPUs"));
  }
}
