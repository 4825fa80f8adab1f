// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.abi;

import dev.patchbay.bindings.abi.Abi;
import dev.patchbay.model.Protocol;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.Scope;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * {@code struct pb_frontend_key}, the key of {@code frontends}.
 *
 * <pre>
 *   0                               16      18   19   20
 *  +--------------------------------+-------+----+----+
 *  | address (network order)        | port  | pr | sc |
 *  |                                | be16  | u8 | u8 |
 *  +--------------------------------+-------+----+----+
 * </pre>
 */
public final class FrontendKeyCodec {
  /** Bytes of one key. */
  public static final int SIZE = Math.toIntExact(AbiLayouts.FRONTEND_KEY.byteSize());

  private static final StructLayout KEY = AbiLayouts.FRONTEND_KEY;
  private static final long ADDRESS_AT = AbiLayouts.offset(KEY, "address");
  private static final ValueLayout.OfShort PORT = AbiLayouts.shortMember(KEY, "port");
  private static final long PORT_AT = AbiLayouts.offset(KEY, "port");
  private static final ValueLayout.OfByte PROTOCOL = AbiLayouts.byteMember(KEY, "protocol");
  private static final long PROTOCOL_AT = AbiLayouts.offset(KEY, "protocol");
  private static final ValueLayout.OfByte SCOPE = AbiLayouts.byteMember(KEY, "scope");
  private static final long SCOPE_AT = AbiLayouts.offset(KEY, "scope");

  private FrontendKeyCodec() {}

  /** Writes {@code key} to the {@link #SIZE} bytes at offset {@code at}. */
  public static void encode(FrontendKey key, MemorySegment segment, long at) {
    AbiLayouts.putAddress(segment, at + ADDRESS_AT, key.address());
    segment.set(PORT, at + PORT_AT, (short) key.port());
    segment.set(PROTOCOL, at + PROTOCOL_AT, (byte) key.protocolNumber());
    segment.set(SCOPE, at + SCOPE_AT, (byte) number(key.scope()));
  }

  /**
   * Reads the key at offset {@code at}.
   *
   * @return empty if the bytes are no key that this version writes: an unknown protocol or scope,
   *     or a port without a protocol. No program looks such a key up.
   */
  public static Optional<FrontendKey> decode(MemorySegment segment, long at) {
    int port = Short.toUnsignedInt(segment.get(PORT, at + PORT_AT));
    int protocolNumber = Byte.toUnsignedInt(segment.get(PROTOCOL, at + PROTOCOL_AT));
    @Nullable Scope scope = scope(segment.get(SCOPE, at + SCOPE_AT));
    @Nullable Protocol protocol = protocol(protocolNumber);
    boolean protocolKnown = protocol != null || protocolNumber == 0;
    if (scope == null || !protocolKnown || (port == 0) != (protocol == null)) {
      return Optional.empty();
    }
    return Optional.of(
        new FrontendKey(AbiLayouts.getAddress(segment, at + ADDRESS_AT), port, protocol, scope));
  }

  static int number(Scope scope) {
    return switch (scope) {
      case INTERNAL -> Abi.PB_SCOPE_INTERNAL();
      case EXTERNAL -> Abi.PB_SCOPE_EXTERNAL();
    };
  }

  private static @Nullable Scope scope(byte number) {
    for (Scope scope : Scope.values()) {
      if (number(scope) == number) {
        return scope;
      }
    }
    return null;
  }

  /** A protocol that sockets of Services have, by its number. */
  static @Nullable Protocol protocol(int number) {
    return switch (number) {
      case 6 -> Protocol.TCP;
      case 17 -> Protocol.UDP;
      default -> null;
    };
  }
}
