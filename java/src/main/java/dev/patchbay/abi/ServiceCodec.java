// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.abi;

import dev.patchbay.bindings.abi.Abi;
import dev.patchbay.table.ServiceSettings;
import dev.patchbay.table.ServiceWord;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.Optional;

/**
 * {@code struct pb_service}, an entry of {@code services}.
 *
 * <pre>
 *   0               8               16          20               24            32
 *  +---------------+---------------+-----------+----------------+-------------+
 *  | word          | stats         | flags     | affinity_secs  | reserved, 0 |
 *  | u64           | u64           | u32       | u32            | u64         |
 *  +---------------+---------------+-----------+----------------+-------------+
 * </pre>
 *
 * <p>Entries are read and written in place while programs read them, so the word is accessed as a
 * whole, and entries must be aligned to 8 bytes.
 */
public final class ServiceCodec {
  /** Bytes of one entry. */
  public static final int SIZE = Math.toIntExact(AbiLayouts.SERVICE.byteSize());

  private static final StructLayout ENTRY = AbiLayouts.SERVICE;
  private static final VarHandle WORD = ENTRY.varHandle(PathElement.groupElement("word"));
  private static final VarHandle FLAGS = ENTRY.varHandle(PathElement.groupElement("flags"));
  private static final VarHandle STATS = ENTRY.varHandle(PathElement.groupElement("stats"));
  private static final ValueLayout.OfInt SECONDS = AbiLayouts.intMember(ENTRY, "affinity_seconds");
  private static final long SECONDS_AT = AbiLayouts.offset(ENTRY, "affinity_seconds");

  private ServiceCodec() {}

  /**
   * Publishes: settings first, then the word in one store with release semantics. The flags follow
   * the seconds, so that no program sees affinity switched on with a time that was never set.
   */
  public static void publish(
      MemorySegment segment, long at, ServiceWord word, ServiceSettings settings) {
    segment.set(SECONDS, at + SECONDS_AT, settings.affinitySeconds());
    STATS.setOpaque(segment, at, settings.statsId());
    FLAGS.setRelease(segment, at, flags(settings));
    WORD.setRelease(segment, at, word.pack());
  }

  /** Whether the entry at {@code at} is what {@link #publish} writes; makes no object. */
  public static boolean holds(
      MemorySegment segment, long at, ServiceWord word, ServiceSettings settings) {
    return (long) WORD.getAcquire(segment, at) == word.pack()
        && (int) FLAGS.getOpaque(segment, at) == flags(settings)
        && segment.get(SECONDS, at + SECONDS_AT) == settings.affinitySeconds();
  }

  /** Whether the entry at {@code at} differs from one that was never used. */
  public static boolean isUsed(MemorySegment segment, long at) {
    return (long) WORD.getAcquire(segment, at) != 0
        || (int) FLAGS.getOpaque(segment, at) != 0
        || (long) STATS.getOpaque(segment, at) != 0
        || segment.get(SECONDS, at + SECONDS_AT) != 0;
  }

  /** Reads the word at {@code at} with acquire semantics; every value is a word. */
  public static ServiceWord word(MemorySegment segment, long at) {
    return ServiceWord.unpack((long) WORD.getAcquire(segment, at));
  }

  /** Replaces the word at {@code at} with release semantics, whatever the settings are. */
  public static void setWord(MemorySegment segment, long at, ServiceWord word) {
    WORD.setRelease(segment, at, word.pack());
  }

  /**
   * Reads the settings at {@code at}.
   *
   * @return empty if this version would never write them: unknown flags, or seconds that do not go
   *     with the flags
   */
  public static Optional<ServiceSettings> settings(MemorySegment segment, long at) {
    int flags = (int) FLAGS.getOpaque(segment, at);
    int seconds = segment.get(SECONDS, at + SECONDS_AT);
    boolean affinity = (flags & Abi.PB_SERVICE_AFFINITY_CLIENT_IP()) != 0;
    boolean policyLocal = (flags & Abi.PB_SERVICE_POLICY_LOCAL()) != 0;
    if (affinity != (seconds != 0) || seconds < 0 || seconds > 86400) {
      return Optional.empty();
    }
    ServiceSettings settings =
        new ServiceSettings(
            seconds,
            policyLocal,
            (flags & Abi.PB_SERVICE_TERMINATE()) != 0,
            (flags & Abi.PB_SERVICE_BACKEND_STATS()) != 0,
            (long) STATS.getOpaque(segment, at));
    return flags(settings) == flags ? Optional.of(settings) : Optional.empty();
  }

  private static int flags(ServiceSettings settings) {
    return (settings.affinitySeconds() > 0 ? Abi.PB_SERVICE_AFFINITY_CLIENT_IP() : 0)
        | (settings.policyLocal() ? Abi.PB_SERVICE_POLICY_LOCAL() : 0)
        | (settings.terminate() ? Abi.PB_SERVICE_TERMINATE() : 0)
        | (settings.backendStats() ? Abi.PB_SERVICE_BACKEND_STATS() : 0);
  }
}
