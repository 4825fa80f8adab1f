// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.abi;

import dev.patchbay.bindings.abi.pb_backend;
import dev.patchbay.bindings.abi.pb_backend_stats;
import dev.patchbay.bindings.abi.pb_backend_stats_key;
import dev.patchbay.bindings.abi.pb_event;
import dev.patchbay.bindings.abi.pb_frontend;
import dev.patchbay.bindings.abi.pb_frontend_key;
import dev.patchbay.bindings.abi.pb_service;
import dev.patchbay.bindings.abi.pb_service_stats;
import dev.patchbay.bindings.abi.pb_stale_socket;
import dev.patchbay.bindings.abi.pb_watchers;
import dev.patchbay.model.IpAddress;
import java.lang.foreign.GroupLayout;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Set;

/**
 * The generated layouts, completed with the byte order that C keeps in its type names: {@code
 * __be16} members are big-endian here. Codecs take every offset, width and order from these
 * layouts. Members are accessed unaligned, because keys of 20 bytes follow one another in a batch.
 */
final class AbiLayouts {
  static final StructLayout FRONTEND_KEY = networkOrder(pb_frontend_key.layout(), Set.of("port"));
  static final StructLayout FRONTEND = networkOrder(pb_frontend.layout(), Set.of());
  static final StructLayout SERVICE = networkOrder(pb_service.layout(), Set.of());
  static final StructLayout BACKEND = networkOrder(pb_backend.layout(), Set.of("port"));

  static final StructLayout EVENT =
      networkOrder(pb_event.layout(), Set.of("port", "backend_port", "client_port"));
  static final StructLayout SERVICE_STATS = networkOrder(pb_service_stats.layout(), Set.of());
  static final StructLayout BACKEND_STATS_KEY =
      networkOrder(pb_backend_stats_key.layout(), Set.of("port"));
  static final StructLayout BACKEND_STATS = networkOrder(pb_backend_stats.layout(), Set.of());
  static final StructLayout STALE_SOCKET =
      networkOrder(pb_stale_socket.layout(), Set.of("source_port", "backend_port", "port"));
  static final StructLayout WATCHERS = networkOrder(pb_watchers.layout(), Set.of());

  /** An address is 16 bytes in network order; this is half of it. */
  private static final ValueLayout.OfLong ADDRESS_HALF =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

  private AbiLayouts() {}

  /** All structs that have a codec. */
  static List<StructLayout> all() {
    return List.of(
        FRONTEND_KEY,
        FRONTEND,
        SERVICE,
        BACKEND,
        EVENT,
        SERVICE_STATS,
        BACKEND_STATS_KEY,
        BACKEND_STATS,
        STALE_SOCKET,
        WATCHERS);
  }

  static long offset(StructLayout struct, String member) {
    return struct.byteOffset(PathElement.groupElement(member));
  }

  static ValueLayout.OfByte byteMember(StructLayout struct, String member) {
    return (ValueLayout.OfByte) struct.select(PathElement.groupElement(member));
  }

  static ValueLayout.OfShort shortMember(StructLayout struct, String member) {
    return ((ValueLayout.OfShort) struct.select(PathElement.groupElement(member)))
        .withByteAlignment(1);
  }

  static ValueLayout.OfInt intMember(StructLayout struct, String member) {
    return ((ValueLayout.OfInt) struct.select(PathElement.groupElement(member)))
        .withByteAlignment(1);
  }

  static ValueLayout.OfLong longMember(StructLayout struct, String member) {
    return ((ValueLayout.OfLong) struct.select(PathElement.groupElement(member)))
        .withByteAlignment(1);
  }

  static void putAddress(MemorySegment segment, long at, IpAddress address) {
    segment.set(ADDRESS_HALF, at, address.high());
    segment.set(ADDRESS_HALF, at + Long.BYTES, address.low());
  }

  static boolean hasAddress(MemorySegment segment, long at, IpAddress address) {
    return segment.get(ADDRESS_HALF, at) == address.high()
        && segment.get(ADDRESS_HALF, at + Long.BYTES) == address.low();
  }

  static IpAddress getAddress(MemorySegment segment, long at) {
    return new IpAddress(segment.get(ADDRESS_HALF, at), segment.get(ADDRESS_HALF, at + Long.BYTES));
  }

  private static StructLayout networkOrder(GroupLayout struct, Set<String> bigEndian) {
    MemoryLayout[] members =
        struct.memberLayouts().stream()
            .map(
                member ->
                    bigEndian.contains(member.name().orElse(""))
                        ? ((ValueLayout) member).withOrder(ByteOrder.BIG_ENDIAN)
                        : member)
            .toArray(MemoryLayout[]::new);
    return MemoryLayout.structLayout(members).withName(struct.name().orElseThrow());
  }
}
