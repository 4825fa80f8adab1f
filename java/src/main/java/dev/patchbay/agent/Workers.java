// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** What threads have in common that work, rest, and end when they are told to. */
public final class Workers {
  private Workers() {}

  /**
   * Waits on a monitor, which the caller holds, until it is over or the time is.
   *
   * @param nanos how long at most; 0 or less: not at all
   * @param over asked while the monitor is held; whoever changes the answer notifies all
   */
  public static void rest(Object monitor, long nanos, BooleanSupplier over)
      throws InterruptedException {
    long end = System.nanoTime() + nanos;
    for (long left = nanos; left > 0 && !over.getAsBoolean(); left = end - System.nanoTime()) {
      TimeUnit.NANOSECONDS.timedWait(monitor, Math.max(1, left));
    }
  }

  /**
   * Waits for the end of a thread that was told to.
   *
   * @return whether it has ended; false also if this thread was interrupted, which it is afterwards
   */
  public static boolean join(Thread thread, Duration limit) {
    try {
      return thread.join(limit);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
