// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import dev.patchbay.kernel.sys.Libc;

/**
 * Collects garbage when much has gathered. Left alone, the serial collector lets the old generation
 * grow to its maximum before it looks at it; and to read a large manifest leaves several times its
 * size behind, each time it changes. So a collection comes after a burst, when the changes are in
 * the kernel already, and the memory goes back to the system. So does what the JVM itself has
 * freed, most of all its compiler: the C library keeps that for later, 16 MiB after a start.
 *
 * <p>Any thread.
 */
public final class Heap {
  /** Garbage that is not worth a pause, in bytes. */
  private static final long TOLERATED = 32L << 20;

  private static long live;

  private Heap() {}

  /** Collects if there may be as much garbage as there are objects in use, and more than a bit. */
  public static synchronized void trim() {
    if (used() > 2 * live + TOLERATED) {
      System.gc();
      Libc.trimHeap();
      live = used();
    }
  }

  private static long used() {
    Runtime runtime = Runtime.getRuntime();
    return runtime.totalMemory() - runtime.freeMemory();
  }
}
