// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/** Waits for things that happen in other processes. */
public final class Eventually {
  /** For effects that have no bound of their own; generous, for loaded machines. */
  public static final Duration SOON = Duration.ofSeconds(30);

  private static final long PAUSE_NANOS = 5_000_000;

  /** Something that throws an {@link AssertionError} as long as it does not hold. */
  @FunctionalInterface
  public interface Assertion {
    /** Checks once. */
    void check();
  }

  private Eventually() {}

  /** Checks again and again until it holds, at most {@link #SOON}. */
  public static void soon(Assertion assertion) {
    within(SOON, assertion);
  }

  /**
   * Checks again and again until it holds.
   *
   * @return how long that took
   * @throws AssertionError the last failure, when the time is over
   */
  public static Duration within(Duration limit, Assertion assertion) {
    long start = System.nanoTime();
    while (true) {
      long begin = System.nanoTime();
      try {
        assertion.check();
        return Duration.ofNanos(System.nanoTime() - start);
      } catch (AssertionError e) {
        if (begin - start > limit.toNanos()) {
          throw new AssertionError("not within " + limit + ": " + e.getMessage(), e);
        }
      }
      pause(PAUSE_NANOS);
    }
  }

  /** Lets time pass. Only for the pace of a load or a fault, never to wait for an effect. */
  public static void pause(long nanos) {
    long end = System.nanoTime() + nanos;
    for (long left = nanos; left > 0; left = end - System.nanoTime()) {
      LockSupport.parkNanos(left);
    }
  }
}
