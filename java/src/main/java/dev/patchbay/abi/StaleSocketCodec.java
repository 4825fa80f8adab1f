// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.abi;

import dev.patchbay.model.Protocol;
import dev.patchbay.observe.StaleSocket;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * {@code struct pb_stale_socket}, an entry of the list that the iterator {@code pb_stale_sockets}
 * makes. Entry 0 is its head: how many there are in place of the cookie, and how many are wanted at
 * most in place of the namespace's.
 *
 * <pre>
 *   0        8       16      20      24       40        56        72    74    76    78   79   80
 *  +--------+-------+-------+-------+--------+---------+---------+-----+-----+-----+----+----+
 *  | cookie | netns | inode | iface | source | backend | address | sp  | bp  | p   | pr | fa |
 *  | u64    | u64   | u32   | u32   | 16     | 16      | 16      | be16| be16| be16| u8 | u8 |
 *  +--------+-------+-------+-------+--------+---------+---------+-----+-----+-----+----+----+
 * </pre>
 */
public final class StaleSocketCodec {
  /** Bytes of one record. */
  public static final int SIZE = Math.toIntExact(AbiLayouts.STALE_SOCKET.byteSize());

  private static final int AF_INET6 = 10;

  private static final StructLayout SOCKET = AbiLayouts.STALE_SOCKET;
  private static final ValueLayout.OfLong COOKIE = AbiLayouts.longMember(SOCKET, "cookie");
  private static final long COOKIE_AT = AbiLayouts.offset(SOCKET, "cookie");
  private static final ValueLayout.OfLong NETNS = AbiLayouts.longMember(SOCKET, "netns");
  private static final long NETNS_AT = AbiLayouts.offset(SOCKET, "netns");
  private static final ValueLayout.OfInt INODE = AbiLayouts.intMember(SOCKET, "netns_inode");
  private static final long INODE_AT = AbiLayouts.offset(SOCKET, "netns_inode");
  private static final ValueLayout.OfInt INTERFACE = AbiLayouts.intMember(SOCKET, "interface");
  private static final long INTERFACE_AT = AbiLayouts.offset(SOCKET, "interface");
  private static final long SOURCE_AT = AbiLayouts.offset(SOCKET, "source");
  private static final long BACKEND_AT = AbiLayouts.offset(SOCKET, "backend");
  private static final long ADDRESS_AT = AbiLayouts.offset(SOCKET, "address");
  private static final ValueLayout.OfShort PORT = AbiLayouts.shortMember(SOCKET, "port");
  private static final long SOURCE_PORT_AT = AbiLayouts.offset(SOCKET, "source_port");
  private static final long BACKEND_PORT_AT = AbiLayouts.offset(SOCKET, "backend_port");
  private static final long PORT_AT = AbiLayouts.offset(SOCKET, "port");
  private static final ValueLayout.OfByte PROTOCOL = AbiLayouts.byteMember(SOCKET, "protocol");
  private static final long PROTOCOL_AT = AbiLayouts.offset(SOCKET, "protocol");
  private static final ValueLayout.OfByte FAMILY = AbiLayouts.byteMember(SOCKET, "family");
  private static final long FAMILY_AT = AbiLayouts.offset(SOCKET, "family");

  private StaleSocketCodec() {}

  /**
   * Empties a list.
   *
   * @param most how long it may become; 0: as long as it has room
   */
  public static void clearList(MemorySegment list, int most) {
    list.set(COOKIE, COOKIE_AT, 0);
    list.set(NETNS, NETNS_AT, most);
  }

  /** Reads a list, without what {@link #decode} cannot read. */
  public static List<StaleSocket> list(MemorySegment list) {
    long count = list.get(COOKIE, COOKIE_AT);
    List<StaleSocket> sockets = new ArrayList<>(Math.toIntExact(count));
    for (long n = 1; n <= count; n++) {
      decode(list, n * SIZE).ifPresent(sockets::add);
    }
    return sockets;
  }

  /**
   * Reads the {@link #SIZE} bytes at offset {@code at}.
   *
   * @return empty if the protocol is none that Services have
   */
  public static Optional<StaleSocket> decode(MemorySegment segment, long at) {
    @Nullable Protocol protocol =
        FrontendKeyCodec.protocol(Byte.toUnsignedInt(segment.get(PROTOCOL, at + PROTOCOL_AT)));
    if (protocol == null) {
      return Optional.empty();
    }
    return Optional.of(
        new StaleSocket(
            segment.get(COOKIE, at + COOKIE_AT),
            segment.get(NETNS, at + NETNS_AT),
            Integer.toUnsignedLong(segment.get(INODE, at + INODE_AT)),
            segment.get(INTERFACE, at + INTERFACE_AT),
            AbiLayouts.getAddress(segment, at + SOURCE_AT),
            port(segment, at + SOURCE_PORT_AT),
            AbiLayouts.getAddress(segment, at + BACKEND_AT),
            port(segment, at + BACKEND_PORT_AT),
            AbiLayouts.getAddress(segment, at + ADDRESS_AT),
            port(segment, at + PORT_AT),
            protocol,
            segment.get(FAMILY, at + FAMILY_AT) == AF_INET6));
  }

  private static int port(MemorySegment segment, long at) {
    return Short.toUnsignedInt(segment.get(PORT, at));
  }
}
