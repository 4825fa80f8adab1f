// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench.programming;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Looks every 10 ms how much memory a group of processes holds together, until it is closed. Short
 * peaks are missed, so the figure is too low rather than too high.
 */
final class Peak implements AutoCloseable {
  private static final long PERIOD = TimeUnit.MILLISECONDS.toNanos(10);

  private final ProcessGroup group;
  private final Thread thread;
  private volatile long highest;
  private volatile boolean over;

  Peak(ProcessGroup group) {
    this.group = group;
    thread = Thread.ofPlatform().name("peak").daemon().start(this::look);
  }

  private void look() {
    while (!over) {
      long now = group.resident();
      if (now > highest) {
        highest = now;
      }
      LockSupport.parkNanos(PERIOD);
    }
  }

  /** Resident bytes of all of them together, at most, so far. */
  long bytes() {
    return highest;
  }

  @Override
  public void close() {
    over = true;
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
