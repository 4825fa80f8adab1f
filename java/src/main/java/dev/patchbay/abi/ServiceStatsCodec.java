// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.abi;

import dev.patchbay.bindings.abi.Abi;
import dev.patchbay.observe.ServiceStats;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code struct pb_service_stats}, a value of {@code service_stats} on one CPU: nine counters of 64
 * bits, then one for each range of time to establish.
 */
public final class ServiceStatsCodec {
  /** Bytes of the value of one CPU, a multiple of 8. */
  public static final int SIZE = Math.toIntExact(AbiLayouts.SERVICE_STATS.byteSize());

  private static final StructLayout STATS = AbiLayouts.SERVICE_STATS;
  private static final long ESTABLISHED_AT = AbiLayouts.offset(STATS, "established");

  private ServiceStatsCodec() {}

  /** Adds up the values of {@code cpus} CPUs that follow one another from offset {@code at}. */
  public static ServiceStats sum(MemorySegment segment, long at, int cpus) {
    List<Long> established = new ArrayList<>(Abi.PB_LATENCY_RANGES());
    for (int range = 0; range < Abi.PB_LATENCY_RANGES(); range++) {
      established.add(sum(segment, at + ESTABLISHED_AT + (long) range * Long.BYTES, cpus, SIZE));
    }
    return new ServiceStats(
        member(segment, at, cpus, "connects_tcp"),
        member(segment, at, cpus, "connects_udp"),
        member(segment, at, cpus, "sends_udp"),
        member(segment, at, cpus, "refused_no_endpoint"),
        member(segment, at, cpus, "refused_policy"),
        member(segment, at, cpus, "closed_tcp"),
        member(segment, at, cpus, "closed_udp"),
        member(segment, at, cpus, "failed_tcp"),
        member(segment, at, cpus, "established_ns"),
        established);
  }

  private static long member(MemorySegment segment, long at, int cpus, String name) {
    return sum(segment, at + AbiLayouts.offset(STATS, name), cpus, SIZE);
  }

  /** Adds up {@code cpus} numbers of 64 bits, {@code stride} bytes apart. */
  static long sum(MemorySegment segment, long at, int cpus, int stride) {
    long sum = 0;
    for (int cpu = 0; cpu < cpus; cpu++) {
      sum += segment.get(ValueLayout.JAVA_LONG_UNALIGNED, at + (long) cpu * stride);
    }
    return sum;
  }
}
