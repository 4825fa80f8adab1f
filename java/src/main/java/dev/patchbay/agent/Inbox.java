// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import dev.patchbay.model.ClusterSnapshot;
import dev.patchbay.model.ObjectKey;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Where the owner thread finds its work: the newest snapshot of the source, the keys that differ
 * from what the owner took last, and word from the reclaimer. A burst of changes coalesces; nothing
 * can overflow or be lost. Any thread may post; one thread takes.
 */
final class Inbox {
  /**
   * What there is to do.
   *
   * @param snapshot the newest one; null if the source said nothing since the last work
   * @param changed keys of the Services that may differ in it
   * @param reclaimed mark up to which no reader is left; negative if there is no word of it
   * @param stop the agent shall end
   */
  record Work(
      @Nullable ClusterSnapshot snapshot, Set<ObjectKey> changed, long reclaimed, boolean stop) {}

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition posted = lock.newCondition();
  private @Nullable ClusterSnapshot snapshot;
  private Set<ObjectKey> changed = new HashSet<>();
  private long reclaimed = -1;
  private boolean stop;

  void change(ClusterSnapshot newest, Collection<ObjectKey> keys) {
    post(
        () -> {
          snapshot = newest;
          changed.addAll(keys);
        });
  }

  void reclaimed(long mark) {
    post(() -> reclaimed = Math.max(reclaimed, mark));
  }

  void stop() {
    post(() -> stop = true);
  }

  private void post(Runnable update) {
    lock.lock();
    try {
      update.run();
      posted.signal();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until there is work or the time is over, and takes all of it.
   *
   * @param timeoutMillis how long to wait; negative: without limit
   */
  Work take(long timeoutMillis) throws InterruptedException {
    lock.lock();
    try {
      long left = TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
      while (snapshot == null && reclaimed < 0 && !stop) {
        if (timeoutMillis < 0) {
          posted.await();
        } else if (left > 0) {
          left = posted.awaitNanos(left);
        } else {
          break;
        }
      }
      Work work = new Work(snapshot, changed, reclaimed, stop);
      snapshot = null;
      changed = new HashSet<>();
      reclaimed = -1;
      return work;
    } finally {
      lock.unlock();
    }
  }
}
