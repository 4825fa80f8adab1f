// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.abi;

import dev.patchbay.bindings.abi.Abi;
import dev.patchbay.table.FrontendValue;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;

/**
 * {@code struct pb_frontend}, the value of {@code frontends}.
 *
 * <pre>
 *   0           4           8
 *  +-----------+-----------+
 *  | service   | flags     |
 *  | u32       | u32       |
 *  +-----------+-----------+
 * </pre>
 */
public final class FrontendValueCodec {
  /** Bytes of one value. */
  public static final int SIZE = Math.toIntExact(AbiLayouts.FRONTEND.byteSize());

  private static final StructLayout VALUE = AbiLayouts.FRONTEND;
  private static final ValueLayout.OfInt SERVICE = AbiLayouts.intMember(VALUE, "service");
  private static final long SERVICE_AT = AbiLayouts.offset(VALUE, "service");
  private static final ValueLayout.OfInt FLAGS = AbiLayouts.intMember(VALUE, "flags");
  private static final long FLAGS_AT = AbiLayouts.offset(VALUE, "flags");

  private FrontendValueCodec() {}

  /** Writes {@code value} to the {@link #SIZE} bytes at offset {@code at}. */
  public static void encode(FrontendValue value, MemorySegment segment, long at) {
    switch (value) {
      case FrontendValue.ToService(int index) -> put(segment, at, index, 0);
      case FrontendValue.Refuse() -> put(segment, at, 0, Abi.PB_FRONTEND_REFUSE());
      case FrontendValue.NodeAddress() -> put(segment, at, 0, Abi.PB_FRONTEND_NODE());
      case FrontendValue.Foreign(int service, int flags) -> put(segment, at, service, flags);
    }
  }

  /** Reads the value at offset {@code at}; never fails. */
  public static FrontendValue decode(MemorySegment segment, long at) {
    int service = segment.get(SERVICE, at + SERVICE_AT);
    int flags = segment.get(FLAGS, at + FLAGS_AT);
    if (flags == 0 && service >= 0) {
      return new FrontendValue.ToService(service);
    }
    if (flags == Abi.PB_FRONTEND_REFUSE() && service == 0) {
      return FrontendValue.REFUSE;
    }
    if (flags == Abi.PB_FRONTEND_NODE() && service == 0) {
      return FrontendValue.NODE_ADDRESS;
    }
    return new FrontendValue.Foreign(service, flags);
  }

  private static void put(MemorySegment segment, long at, int service, int flags) {
    segment.set(SERVICE, at + SERVICE_AT, service);
    segment.set(FLAGS, at + FLAGS_AT, flags);
  }
}
