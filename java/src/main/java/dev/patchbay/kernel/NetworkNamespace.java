// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.kernel.sys.Answer;
import dev.patchbay.kernel.sys.Errno;
import dev.patchbay.kernel.sys.Libc;
import java.util.OptionalLong;

/** The network namespace of this process, which is the node's. */
final class NetworkNamespace {
  private NetworkNamespace() {}

  /**
   * Its cookie, a number that programs can ask for too; never 0, and unique while the system runs.
   *
   * @return empty if the kernel cannot say (before 5.14)
   */
  static OptionalLong cookie() throws KernelException {
    Operation operation = new Operation("ask for", "cookie of the network namespace");
    try (Fd socket = Fd.of(Libc.unixSocket(), operation)) {
      Answer<Long> answer = Libc.netnsCookie(socket.number());
      Long cookie = answer.value();
      if (cookie != null) {
        return OptionalLong.of(cookie);
      }
      if (Errno.ENOPROTOOPT.is(answer.result())) {
        return OptionalLong.empty();
      }
      throw KernelException.of(answer.result(), operation);
    }
  }
}
