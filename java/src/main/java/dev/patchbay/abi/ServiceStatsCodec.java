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
  private static final long CONNECTS_TCP_AT = AbiLayouts.offset(STATS, "connects_tcp");
  private static final long CONNECTS_UDP_AT = AbiLayouts.offset(STATS, "connects_udp");
  private static final long SENDS_UDP_AT = AbiLayouts.offset(STATS, "sends_udp");
  private static final long NO_ENDPOINT_AT = AbiLayouts.offset(STATS, "refused_no_endpoint");
  private static final long POLICY_AT = AbiLayouts.offset(STATS, "refused_policy");
  private static final long CLOSED_TCP_AT = AbiLayouts.offset(STATS, "closed_tcp");
  private static final long CLOSED_UDP_AT = AbiLayouts.offset(STATS, "closed_udp");
  private static final long FAILED_TCP_AT = AbiLayouts.offset(STATS, "failed_tcp");
  private static final long ESTABLISHED_NANOS_AT = AbiLayouts.offset(STATS, "established_ns");
  private static final long ESTABLISHED_AT = AbiLayouts.offset(STATS, "established");

  private ServiceStatsCodec() {}

  /** Adds up the values of {@code cpus} CPUs that follow one another from offset {@code at}. */
  public static ServiceStats sum(MemorySegment segment, long at, int cpus) {
    List<Long> established = new ArrayList<>(Abi.PB_LATENCY_RANGES());
    for (int range = 0; range < Abi.PB_LATENCY_RANGES(); range++) {
      established.add(sum(segment, at + ESTABLISHED_AT + (long) range * Long.BYTES, cpus, SIZE));
    }
    return new ServiceStats(
        sum(segment, at + CONNECTS_TCP_AT, cpus, SIZE),
        sum(segment, at + CONNECTS_UDP_AT, cpus, SIZE),
        sum(segment, at + SENDS_UDP_AT, cpus, SIZE),
        sum(segment, at + NO_ENDPOINT_AT, cpus, SIZE),
        sum(segment, at + POLICY_AT, cpus, SIZE),
        sum(segment, at + CLOSED_TCP_AT, cpus, SIZE),
        sum(segment, at + CLOSED_UDP_AT, cpus, SIZE),
        sum(segment, at + FAILED_TCP_AT, cpus, SIZE),
        sum(segment, at + ESTABLISHED_NANOS_AT, cpus, SIZE),
        established);
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
