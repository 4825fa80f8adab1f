// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel.sys;

import dev.patchbay.bindings.libc.LibC;
import dev.patchbay.bindings.libc.sockaddr_in;
import dev.patchbay.bindings.libc.sockaddr_in6;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * {@code struct sockaddr_in} and {@code sockaddr_in6}, as values.
 *
 * @param address the address
 * @param port host byte order, 0 to 65535
 */
public record SocketAddress(IpAddress address, int port) {
  /** Ports and addresses are big-endian, whatever the machine. */
  private static final ValueLayout.OfShort PORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

  private static final ValueLayout.OfInt BITS =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
  private static final ValueLayout.OfLong HALF =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

  private static final long ADDRESS4 = sockaddr_in.sin_addr$offset();
  private static final long ADDRESS6 = sockaddr_in6.sin6_addr$offset();

  /** {@code AF_INET} or {@code AF_INET6}. */
  static int family(IpFamily family) {
    return family == IpFamily.IPV4 ? LibC.AF_INET() : LibC.AF_INET6();
  }

  /** Room for an address of any family. */
  static MemorySegment room(Arena arena) {
    return arena.allocate(sockaddr_in6.layout());
  }

  MemorySegment encode(Arena arena) {
    if (address.family() == IpFamily.IPV4) {
      MemorySegment struct = arena.allocate(sockaddr_in.layout());
      sockaddr_in.sin_family(struct, (short) LibC.AF_INET());
      struct.set(PORT, sockaddr_in.sin_port$offset(), (short) port);
      struct.set(BITS, ADDRESS4, (int) address.low());
      return struct;
    }
    MemorySegment struct = arena.allocate(sockaddr_in6.layout());
    sockaddr_in6.sin6_family(struct, (short) LibC.AF_INET6());
    struct.set(PORT, sockaddr_in6.sin6_port$offset(), (short) port);
    struct.set(HALF, ADDRESS6, address.high());
    struct.set(HALF, ADDRESS6 + Long.BYTES, address.low());
    return struct;
  }

  /** What the kernel wrote; the unspecified address if it is of neither family. */
  static SocketAddress decode(MemorySegment struct) {
    int family = sockaddr_in.sin_family(struct);
    if (family == LibC.AF_INET()) {
      return new SocketAddress(
          IpAddress.ofIpv4(struct.get(BITS, ADDRESS4)),
          Short.toUnsignedInt(struct.get(PORT, sockaddr_in.sin_port$offset())));
    }
    if (family == LibC.AF_INET6()) {
      return new SocketAddress(
          new IpAddress(struct.get(HALF, ADDRESS6), struct.get(HALF, ADDRESS6 + Long.BYTES)),
          Short.toUnsignedInt(struct.get(PORT, sockaddr_in6.sin6_port$offset())));
    }
    return new SocketAddress(IpAddress.unspecified(IpFamily.IPV6), 0);
  }

  @Override
  public String toString() {
    return address.withPort(port);
  }
}
