// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel.sys;

import dev.patchbay.bindings.libc.LibC;
import dev.patchbay.bindings.libc.inet_diag_req_v2;
import dev.patchbay.bindings.libc.inet_diag_sockid;
import dev.patchbay.bindings.libc.nlmsgerr;
import dev.patchbay.bindings.libc.nlmsghdr;
import dev.patchbay.model.IpAddress;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Messages of sock_diag, man 7 sock_diag: the request {@code SOCK_DESTROY} and what the kernel says
 * to it. All numbers of netlink itself are in host order, addresses and ports in network order.
 */
public final class SockDiag {
  /** Bytes of one request, a multiple of what netlink aligns messages to. */
  public static final int REQUEST_SIZE =
      Math.toIntExact(nlmsghdr.layout().byteSize() + inet_diag_req_v2.layout().byteSize());

  /** Bytes of the longest answer to one request: its header, the error, and the request again. */
  public static final int ANSWER_SIZE =
      Math.toIntExact(nlmsghdr.layout().byteSize() + Integer.BYTES + REQUEST_SIZE);

  private static final int AF_INET = 2;
  private static final int AF_INET6 = 10;

  /** A cookie that stands for any socket, {@code INET_DIAG_NOCOOKIE} twice. */
  private static final long ANY_COOKIE = -1;

  private static final ValueLayout.OfInt NETWORK_INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
  private static final ValueLayout.OfLong NETWORK_LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
  private static final ValueLayout.OfShort NETWORK_SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

  private SockDiag() {}

  /** A message that asks for nothing but to be acknowledged. */
  public static MemorySegment echo(Arena arena) {
    MemorySegment message = arena.allocate(nlmsghdr.layout()); // type 0 is for netlink itself
    nlmsghdr.nlmsg_len(message, Math.toIntExact(message.byteSize()));
    nlmsghdr.nlmsg_flags(message, (short) (LibC.NLM_F_REQUEST() | LibC.NLM_F_ACK()));
    return message;
  }

  /**
   * One socket.
   *
   * @param inet6 whether it is of {@code AF_INET6}; it may have IPv4 addresses all the same
   * @param protocol {@code IPPROTO_TCP} or {@code IPPROTO_UDP}
   * @param source its own address
   * @param sourcePort its own port, 1 to 65535
   * @param peer what it is connected to
   * @param peerPort the port of that, 1 to 65535
   * @param interfaceIndex what it is bound to; 0: to none
   * @param cookie its cookie, with which no other socket is meant; 0: not known
   */
  public record SocketId(
      boolean inet6,
      int protocol,
      IpAddress source,
      int sourcePort,
      IpAddress peer,
      int peerPort,
      int interfaceIndex,
      long cookie) {}

  /** Hears of requests that were refused. */
  @FunctionalInterface
  public interface ErrorListener {
    /** {@code errno}, positive, is what came of the request with this sequence number. */
    void refused(int sequence, int errno);
  }

  /** Writes a request of {@link #REQUEST_SIZE} bytes; only an error is answered. */
  public static void putDestroy(MemorySegment segment, long at, int sequence, SocketId id) {
    MemorySegment message = segment.asSlice(at, REQUEST_SIZE).fill((byte) 0);
    nlmsghdr.nlmsg_len(message, REQUEST_SIZE);
    nlmsghdr.nlmsg_type(message, (short) LibC.SOCK_DESTROY());
    nlmsghdr.nlmsg_flags(message, (short) LibC.NLM_F_REQUEST());
    nlmsghdr.nlmsg_seq(message, sequence);
    MemorySegment request = message.asSlice(nlmsghdr.layout().byteSize());
    inet_diag_req_v2.sdiag_family(request, (byte) (id.inet6 ? AF_INET6 : AF_INET));
    inet_diag_req_v2.sdiag_protocol(request, (byte) id.protocol);
    inet_diag_req_v2.idiag_states(request, -1);
    MemorySegment socket = inet_diag_req_v2.id(request);
    socket.set(NETWORK_SHORT, inet_diag_sockid.idiag_sport$offset(), (short) id.sourcePort);
    socket.set(NETWORK_SHORT, inet_diag_sockid.idiag_dport$offset(), (short) id.peerPort);
    putAddress(socket, inet_diag_sockid.idiag_src$offset(), id.inet6, id.source);
    putAddress(socket, inet_diag_sockid.idiag_dst$offset(), id.inet6, id.peer);
    inet_diag_sockid.idiag_if(socket, id.interfaceIndex);
    long cookie = id.cookie == 0 ? ANY_COOKIE : id.cookie;
    // Two numbers, the lower half first, whatever the byte order.
    long cookieAt = inet_diag_sockid.idiag_cookie$offset();
    socket.set(ValueLayout.JAVA_INT, cookieAt, (int) cookie);
    socket.set(ValueLayout.JAVA_INT, cookieAt + Integer.BYTES, (int) (cookie >>> Integer.SIZE));
  }

  private static void putAddress(MemorySegment segment, long at, boolean inet6, IpAddress address) {
    if (inet6) {
      segment.set(NETWORK_LONG, at, address.high());
      segment.set(NETWORK_LONG, at + Long.BYTES, address.low());
    } else {
      segment.set(NETWORK_INT, at, (int) address.low());
    }
  }

  /**
   * Reads the errors in what the kernel answered.
   *
   * @param answer one datagram of whole messages
   */
  public static void errors(MemorySegment answer, ErrorListener errors) {
    long header = nlmsghdr.layout().byteSize();
    long at = 0;
    while (at + header + Integer.BYTES <= answer.byteSize()) {
      MemorySegment message = answer.asSlice(at);
      int length = nlmsghdr.nlmsg_len(message);
      if (length < header + Integer.BYTES) {
        return;
      }
      if (nlmsghdr.nlmsg_type(message) == LibC.NLMSG_ERROR()) {
        int error = message.get(ValueLayout.JAVA_INT, header + nlmsgerr.error$offset());
        if (error != 0) {
          errors.refused(nlmsghdr.nlmsg_seq(message), Math.abs(error));
        }
      }
      at += (length + 3L) & ~3L;
    }
  }
}
