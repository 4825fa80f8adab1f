// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.kernel.sys.Libc;

/**
 * A file descriptor that this process owns. Closing gives up this process's hold and nothing more:
 * what is pinned or attached stays so. One thread at a time.
 */
final class Fd implements AutoCloseable {
  private int number;

  private Fd(int number) {
    this.number = number;
  }

  /** Takes the result of a call that opens something. */
  static Fd of(int result, Operation operation) throws KernelException {
    return new Fd(KernelException.check(result, operation));
  }

  /**
   * The descriptor.
   *
   * @throws IllegalStateException if it was closed
   */
  int number() {
    if (number < 0) {
      throw new IllegalStateException("closed");
    }
    return number;
  }

  /** Idempotent. */
  @Override
  public void close() {
    if (number >= 0) {
      Libc.close(number);
      number = -1;
    }
  }
}
