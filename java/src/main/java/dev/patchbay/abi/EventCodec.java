// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.abi;

import dev.patchbay.bindings.abi.Abi;
import dev.patchbay.model.Protocol;
import dev.patchbay.observe.BindConflict;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * {@code struct pb_event}, a record of {@code events}.
 *
 * <pre>
 *   0      8        16      24       32      40         48     52        56        60
 *  +------+--------+-------+--------+-------+----------+------+---------+---------+--------+
 *  | time | cgroup | netns | socket | stats | duration | kind | service | process | thread |
 *  | u64  | u64    | u64   | u64    | u64   | u64      | u32  | u32     | u32     | u32    |
 *  +------+--------+-------+--------+-------+----------+------+---------+---------+--------+
 *   64         80        96        112      128    130     132     134  135  136     138    144
 *  +----------+---------+---------+--------+------+-------+-------+----+----+-------+-------+
 *  | comm     | address | backend | client | port | bport | cport | pr | fa | error | pad   |
 *  | 16 bytes | 16      | 16      | 16     | be16 | be16  | be16  | u8 | u8 | u16   | 0     |
 *  +----------+---------+---------+--------+------+-------+-------+----+----+-------+-------+
 * </pre>
 */
public final class EventCodec {
  /** Bytes of one record. */
  public static final int SIZE = Math.toIntExact(AbiLayouts.EVENT.byteSize());

  private static final StructLayout EVENT = AbiLayouts.EVENT;
  private static final ValueLayout.OfLong TIME = AbiLayouts.longMember(EVENT, "time");
  private static final long TIME_AT = AbiLayouts.offset(EVENT, "time");
  private static final ValueLayout.OfLong CGROUP = AbiLayouts.longMember(EVENT, "cgroup");
  private static final long CGROUP_AT = AbiLayouts.offset(EVENT, "cgroup");
  private static final ValueLayout.OfLong NETNS = AbiLayouts.longMember(EVENT, "netns");
  private static final long NETNS_AT = AbiLayouts.offset(EVENT, "netns");
  private static final ValueLayout.OfInt KIND = AbiLayouts.intMember(EVENT, "kind");
  private static final long KIND_AT = AbiLayouts.offset(EVENT, "kind");
  private static final ValueLayout.OfInt SERVICE = AbiLayouts.intMember(EVENT, "service");
  private static final long SERVICE_AT = AbiLayouts.offset(EVENT, "service");
  private static final ValueLayout.OfInt PROCESS = AbiLayouts.intMember(EVENT, "process");
  private static final long PROCESS_AT = AbiLayouts.offset(EVENT, "process");
  private static final ValueLayout.OfInt THREAD = AbiLayouts.intMember(EVENT, "thread");
  private static final long THREAD_AT = AbiLayouts.offset(EVENT, "thread");
  private static final long COMM_AT = AbiLayouts.offset(EVENT, "comm");
  private static final int COMM_BYTES =
      Math.toIntExact(AbiLayouts.offset(EVENT, "address") - COMM_AT);
  private static final long ADDRESS_AT = AbiLayouts.offset(EVENT, "address");
  private static final ValueLayout.OfShort PORT = AbiLayouts.shortMember(EVENT, "port");
  private static final long PORT_AT = AbiLayouts.offset(EVENT, "port");
  private static final ValueLayout.OfByte PROTOCOL = AbiLayouts.byteMember(EVENT, "protocol");
  private static final long PROTOCOL_AT = AbiLayouts.offset(EVENT, "protocol");

  private EventCodec() {}

  /**
   * Reads the refused bind that the {@link #SIZE} bytes at offset {@code at} tell of.
   *
   * @return empty if they tell of something else, or of nothing that this version writes
   */
  public static Optional<BindConflict> bindConflict(MemorySegment segment, long at) {
    @Nullable Protocol protocol =
        FrontendKeyCodec.protocol(Byte.toUnsignedInt(segment.get(PROTOCOL, at + PROTOCOL_AT)));
    int port = Short.toUnsignedInt(segment.get(PORT, at + PORT_AT));
    if (segment.get(KIND, at + KIND_AT) != Abi.PB_EVENT_REFUSED_BIND()
        || protocol == null
        || port == 0) {
      return Optional.empty();
    }
    return Optional.of(
        new BindConflict(
            segment.get(TIME, at + TIME_AT),
            AbiLayouts.getAddress(segment, at + ADDRESS_AT),
            port,
            protocol,
            segment.get(SERVICE, at + SERVICE_AT),
            segment.get(PROCESS, at + PROCESS_AT),
            segment.get(THREAD, at + THREAD_AT),
            text(segment, at + COMM_AT),
            segment.get(CGROUP, at + CGROUP_AT),
            segment.get(NETNS, at + NETNS_AT)));
  }

  /** A name that any process may have given itself, made fit for a line of a log. */
  private static String text(MemorySegment segment, long at) {
    byte[] bytes = segment.asSlice(at, COMM_BYTES).toArray(ValueLayout.JAVA_BYTE);
    int length = 0;
    while (length < bytes.length && bytes[length] != 0) {
      length++;
    }
    return new String(bytes, 0, length, StandardCharsets.UTF_8).replaceAll("[^\\p{Graph} ]", "?");
  }
}
