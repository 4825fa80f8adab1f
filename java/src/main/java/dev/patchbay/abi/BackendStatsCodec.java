// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.abi;

import dev.patchbay.observe.BackendStats;
import dev.patchbay.observe.BackendStatsKey;
import dev.patchbay.table.Backend;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;

/**
 * {@code struct pb_backend_stats_key} and {@code struct pb_backend_stats}, an entry of {@code
 * backend_stats}; the value is that of one CPU.
 */
public final class BackendStatsCodec {
  /** Bytes of a key. */
  public static final int KEY_SIZE = Math.toIntExact(AbiLayouts.BACKEND_STATS_KEY.byteSize());

  /** Bytes of the value of one CPU, a multiple of 8. */
  public static final int SIZE = Math.toIntExact(AbiLayouts.BACKEND_STATS.byteSize());

  private static final StructLayout KEY = AbiLayouts.BACKEND_STATS_KEY;
  private static final StructLayout STATS = AbiLayouts.BACKEND_STATS;
  private static final long ADDRESS_AT = AbiLayouts.offset(KEY, "address");
  private static final ValueLayout.OfShort PORT = AbiLayouts.shortMember(KEY, "port");
  private static final long PORT_AT = AbiLayouts.offset(KEY, "port");
  private static final ValueLayout.OfLong ID = AbiLayouts.longMember(KEY, "stats");
  private static final long ID_AT = AbiLayouts.offset(KEY, "stats");
  private static final long CONNECTS_AT = AbiLayouts.offset(STATS, "connects");
  private static final long CLOSED_AT = AbiLayouts.offset(STATS, "closed");
  private static final long FAILED_AT = AbiLayouts.offset(STATS, "failed");
  private static final long SENDS_AT = AbiLayouts.offset(STATS, "sends");

  private BackendStatsCodec() {}

  /** The backend in the key at offset {@code at}. */
  public static Backend backend(MemorySegment segment, long at) {
    return new Backend(
        AbiLayouts.getAddress(segment, at + ADDRESS_AT),
        Short.toUnsignedInt(segment.get(PORT, at + PORT_AT)));
  }

  /** Writes a key, padding included, to offset {@code at}. */
  public static void encode(BackendStatsKey key, MemorySegment segment, long at) {
    segment.asSlice(at, KEY_SIZE).fill((byte) 0);
    AbiLayouts.putAddress(segment, at + ADDRESS_AT, key.backend().address());
    segment.set(PORT, at + PORT_AT, (short) key.backend().port());
    segment.set(ID, at + ID_AT, key.statsId());
  }

  /** The Service port in the key at offset {@code at}, as in {@code service_stats}. */
  public static long statsId(MemorySegment segment, long at) {
    return segment.get(ID, at + ID_AT);
  }

  /** Adds up the values of {@code cpus} CPUs that follow one another from offset {@code at}. */
  public static BackendStats sum(MemorySegment segment, long at, int cpus) {
    return new BackendStats(
        ServiceStatsCodec.sum(segment, at + CONNECTS_AT, cpus, SIZE),
        ServiceStatsCodec.sum(segment, at + CLOSED_AT, cpus, SIZE),
        ServiceStatsCodec.sum(segment, at + FAILED_AT, cpus, SIZE),
        ServiceStatsCodec.sum(segment, at + SENDS_AT, cpus, SIZE));
  }
}
