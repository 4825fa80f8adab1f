// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.kernel.sys.Libc;
import dev.patchbay.kernel.sys.SockDiag;
import java.lang.foreign.Arena;
import java.util.Optional;

/**
 * A descriptor that becomes readable when it is told to, and stays so: what a thread waits for
 * beside something else, so that it can be told to end. It is a netlink socket, which hears of the
 * kernel and of nobody else: the kernel acknowledges a message that asks for nothing but that.
 *
 * <p>Any thread may wake; whoever closes sees to it that nobody waits.
 */
final class WakeUp implements AutoCloseable {
  private final Fd fd;

  private WakeUp(Fd fd) {
    this.fd = fd;
  }

  /** Empty if there is no such thing to be had here. */
  static Optional<WakeUp> open() {
    try {
      return Optional.of(
          new WakeUp(Fd.of(Libc.sockDiagSocket(), new Operation("open", "a netlink socket"))));
    } catch (KernelException refused) {
      return Optional.empty();
    }
  }

  int fd() {
    return fd.number();
  }

  /**
   * Makes it readable.
   *
   * @return whether that was possible
   */
  boolean wake() {
    try (Arena arena = Arena.ofConfined()) {
      return Libc.send(fd.number(), SockDiag.echo(arena)) > 0;
    }
  }

  /** Idempotent. */
  @Override
  public void close() {
    fd.close();
  }
}
