// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.abi;

import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.VarHandle;

/**
 * {@code struct pb_watchers}, the only entry of {@code watchers}, in memory that programs and all
 * who watch share: the latest deadline, then the deadlines and then the lost records of all places.
 */
public final class WatchersCodec {
  /** Bytes of the entry. */
  public static final int SIZE = Math.toIntExact(AbiLayouts.WATCHERS.byteSize());

  private static final StructLayout WATCHERS = AbiLayouts.WATCHERS;
  private static final VarHandle LATEST = WATCHERS.varHandle(PathElement.groupElement("latest"));
  private static final VarHandle DEADLINE =
      WATCHERS.varHandle(PathElement.groupElement("deadline"), PathElement.sequenceElement());
  private static final VarHandle LOST =
      WATCHERS.varHandle(PathElement.groupElement("lost"), PathElement.sequenceElement());

  private WatchersCodec() {}

  /** When the last of all who watch ends, in nanoseconds of {@code CLOCK_MONOTONIC}. */
  public static long latest(MemorySegment entry) {
    return (long) LATEST.getVolatile(entry, 0L);
  }

  /** Sets the latest deadline, if it is {@code before}. */
  public static boolean changeLatest(MemorySegment entry, long before, long after) {
    return LATEST.compareAndSet(entry, 0L, before, after);
  }

  /** When the one at a place ends; 0: the place is free. */
  public static long deadline(MemorySegment entry, int place) {
    return (long) DEADLINE.getVolatile(entry, 0L, (long) place);
  }

  /** Sets the deadline of a place, if it is {@code before}. */
  public static boolean changeDeadline(MemorySegment entry, int place, long before, long after) {
    return DEADLINE.compareAndSet(entry, 0L, (long) place, before, after);
  }

  /** Records that found no room at a place. */
  public static long lost(MemorySegment entry, int place) {
    return (long) LOST.getVolatile(entry, 0L, (long) place);
  }

  /** Begins to count lost records anew. */
  public static void resetLost(MemorySegment entry, int place) {
    LOST.setVolatile(entry, 0L, (long) place, 0L);
  }
}
