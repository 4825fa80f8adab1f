// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.abi;

import dev.patchbay.table.Backend;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;

/**
 * {@code struct pb_backend}, an entry of {@code backends}.
 *
 * <pre>
 *   0                               16      18      20          24
 *  +--------------------------------+-------+-------+-----------+
 *  | address (network order)        | port  | flags | pad       |
 *  |                                | be16  | u16 0 | u32 0     |
 *  +--------------------------------+-------+-------+-----------+
 * </pre>
 */
public final class BackendCodec {
  /** Bytes of one entry. */
  public static final int SIZE = Math.toIntExact(AbiLayouts.BACKEND.byteSize());

  private static final StructLayout ENTRY = AbiLayouts.BACKEND;
  private static final long ADDRESS_AT = AbiLayouts.offset(ENTRY, "address");
  private static final ValueLayout.OfShort PORT = AbiLayouts.shortMember(ENTRY, "port");
  private static final long PORT_AT = AbiLayouts.offset(ENTRY, "port");
  private static final ValueLayout.OfShort FLAGS = AbiLayouts.shortMember(ENTRY, "flags");
  private static final long FLAGS_AT = AbiLayouts.offset(ENTRY, "flags");
  private static final ValueLayout.OfInt PAD = AbiLayouts.intMember(ENTRY, "pad");
  private static final long PAD_AT = AbiLayouts.offset(ENTRY, "pad");

  private BackendCodec() {}

  /** Writes {@code backend} to the {@link #SIZE} bytes at offset {@code at}. */
  public static void encode(Backend backend, MemorySegment segment, long at) {
    AbiLayouts.putAddress(segment, at + ADDRESS_AT, backend.address());
    segment.set(PORT, at + PORT_AT, (short) backend.port());
    segment.set(FLAGS, at + FLAGS_AT, (short) 0);
    segment.set(PAD, at + PAD_AT, 0);
  }

  /** Whether the entry at offset {@code at} is what {@link #encode} writes; makes no object. */
  public static boolean holds(Backend backend, MemorySegment segment, long at) {
    return AbiLayouts.hasAddress(segment, at + ADDRESS_AT, backend.address())
        && Short.toUnsignedInt(segment.get(PORT, at + PORT_AT)) == backend.port()
        && segment.get(FLAGS, at + FLAGS_AT) == 0
        && segment.get(PAD, at + PAD_AT) == 0;
  }

  /** Reads the entry at offset {@code at}; an entry that was never written has port 0. */
  public static Backend decode(MemorySegment segment, long at) {
    return new Backend(
        AbiLayouts.getAddress(segment, at + ADDRESS_AT),
        Short.toUnsignedInt(segment.get(PORT, at + PORT_AT)));
  }
}
