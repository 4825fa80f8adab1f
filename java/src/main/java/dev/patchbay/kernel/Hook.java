// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.kernel.sys.AttachType;
import java.util.Locale;

/**
 * A program and the cgroup hook it is attached to, in the order of attaching: what translates
 * replies first, so that no socket is translated on its way out and not on its way back; then what
 * keeps listeners off node ports, so that none slips in that connects would pass by; then what sees
 * sockets closed, so that none is counted as open for ever.
 */
enum Hook {
  PB_RECVMSG4(AttachType.UDP4_RECVMSG),
  PB_RECVMSG6(AttachType.UDP6_RECVMSG),
  PB_GETPEERNAME4(AttachType.INET4_GETPEERNAME),
  PB_GETPEERNAME6(AttachType.INET6_GETPEERNAME),
  PB_POST_BIND4(AttachType.INET4_POST_BIND),
  PB_POST_BIND6(AttachType.INET6_POST_BIND),
  PB_SOCK_RELEASE(AttachType.INET_SOCK_RELEASE),
  PB_SENDMSG4(AttachType.UDP4_SENDMSG),
  PB_SENDMSG6(AttachType.UDP6_SENDMSG),
  PB_CONNECT4(AttachType.INET4_CONNECT),
  PB_CONNECT6(AttachType.INET6_CONNECT);

  private final AttachType type;

  Hook(AttachType type) {
    this.type = type;
  }

  AttachType type() {
    return type;
  }

  /** Whether it undoes what another one did to the same socket before, and nothing else. */
  boolean forReplies() {
    return switch (this) {
      case PB_RECVMSG4, PB_RECVMSG6, PB_GETPEERNAME4, PB_GETPEERNAME6 -> true;
      // what it counts of older sockets is in maps that nobody reads any more
      case PB_SOCK_RELEASE -> false;
      case PB_POST_BIND4, PB_POST_BIND6, PB_SENDMSG4, PB_SENDMSG6, PB_CONNECT4, PB_CONNECT6 ->
          false;
    };
  }

  /**
   * The one whose version decides where connections go, in every version of the ABI: all others are
   * attached before it, or have no say in it.
   */
  static Hook decisive() {
    return PB_CONNECT6;
  }

  /** The program's name in the object file and of the link's pin. */
  String program() {
    return name().toLowerCase(Locale.ROOT);
  }
}
