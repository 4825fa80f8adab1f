// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.abi;

import dev.patchbay.bindings.abi.Abi;
import dev.patchbay.model.Protocol;
import dev.patchbay.observe.BindConflict;
import dev.patchbay.observe.ConnectionEvent;
import dev.patchbay.observe.ConnectionEvent.Caller;
import dev.patchbay.observe.ConnectionEvent.Kind;
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
  private static final ValueLayout.OfLong SOCKET = AbiLayouts.longMember(EVENT, "socket");
  private static final long SOCKET_AT = AbiLayouts.offset(EVENT, "socket");
  private static final ValueLayout.OfLong STATS = AbiLayouts.longMember(EVENT, "stats");
  private static final long STATS_AT = AbiLayouts.offset(EVENT, "stats");
  private static final ValueLayout.OfLong DURATION = AbiLayouts.longMember(EVENT, "duration");
  private static final long DURATION_AT = AbiLayouts.offset(EVENT, "duration");
  private static final long BACKEND_AT = AbiLayouts.offset(EVENT, "backend");
  private static final ValueLayout.OfShort BACKEND_PORT =
      AbiLayouts.shortMember(EVENT, "backend_port");
  private static final long BACKEND_PORT_AT = AbiLayouts.offset(EVENT, "backend_port");
  private static final long CLIENT_AT = AbiLayouts.offset(EVENT, "client");
  private static final ValueLayout.OfShort CLIENT_PORT =
      AbiLayouts.shortMember(EVENT, "client_port");
  private static final long CLIENT_PORT_AT = AbiLayouts.offset(EVENT, "client_port");
  private static final ValueLayout.OfShort ERROR = AbiLayouts.shortMember(EVENT, "error");
  private static final long ERROR_AT = AbiLayouts.offset(EVENT, "error");
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

  /**
   * Reads what happened to a socket, from the {@link #SIZE} bytes at offset {@code at}.
   *
   * @return empty if they tell of something else, or of nothing that this version writes
   */
  public static Optional<ConnectionEvent> connection(MemorySegment segment, long at) {
    @Nullable Kind kind = kind(segment.get(KIND, at + KIND_AT));
    @Nullable Protocol protocol =
        FrontendKeyCodec.protocol(Byte.toUnsignedInt(segment.get(PROTOCOL, at + PROTOCOL_AT)));
    if (kind == null || protocol == null) {
      return Optional.empty();
    }
    int backendPort = Short.toUnsignedInt(segment.get(BACKEND_PORT, at + BACKEND_PORT_AT));
    return Optional.of(
        new ConnectionEvent(
            kind,
            segment.get(TIME, at + TIME_AT),
            segment.get(SOCKET, at + SOCKET_AT),
            segment.get(STATS, at + STATS_AT),
            segment.get(DURATION, at + DURATION_AT),
            kind == Kind.ESTABLISHED
                ? null
                : new Caller(
                    segment.get(PROCESS, at + PROCESS_AT),
                    text(segment, at + COMM_AT),
                    segment.get(CGROUP, at + CGROUP_AT)),
            protocol,
            AbiLayouts.getAddress(segment, at + ADDRESS_AT),
            Short.toUnsignedInt(segment.get(PORT, at + PORT_AT)),
            kind == Kind.REFUSED ? null : AbiLayouts.getAddress(segment, at + BACKEND_AT),
            backendPort,
            AbiLayouts.getAddress(segment, at + CLIENT_AT),
            Short.toUnsignedInt(segment.get(CLIENT_PORT, at + CLIENT_PORT_AT)),
            segment.get(NETNS, at + NETNS_AT),
            Short.toUnsignedInt(segment.get(ERROR, at + ERROR_AT))));
  }

  private static @Nullable Kind kind(int number) {
    if (number == Abi.PB_EVENT_CONNECT()) {
      return Kind.CONNECT;
    } else if (number == Abi.PB_EVENT_SEND()) {
      return Kind.SEND;
    } else if (number == Abi.PB_EVENT_REFUSED()) {
      return Kind.REFUSED;
    } else if (number == Abi.PB_EVENT_ESTABLISHED()) {
      return Kind.ESTABLISHED;
    }
    return number == Abi.PB_EVENT_FAILED() ? Kind.FAILED : null;
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
