// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import dev.patchbay.model.IpAddress;
import dev.patchbay.model.NodeInfo;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Problem;
import dev.patchbay.model.ServiceState;
import dev.patchbay.model.SourceChanges;
import dev.patchbay.model.SourceUpdate;
import dev.patchbay.observe.BindConflict;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Where the owner thread finds its work: what the source told since the owner took work last, and
 * word from others. A burst of changes coalesces, so nothing can overflow or be lost. Any thread
 * may post; one thread takes.
 */
final class Inbox {
  /** More refused binds than these between two rounds are not told one by one. */
  private static final int CONFLICTS_KEPT = 64;

  /**
   * What there is to do.
   *
   * @param update all that the source told; null if it told nothing
   * @param local addresses of this machine; null if there is no word of them
   * @param conflicts binds that were refused
   * @param tasks what others want done on the owner's thread, in order
   * @param reclaimed mark up to which no reader is left; negative if there is no word of it
   * @param stop the agent shall end
   */
  record Work(
      @Nullable SourceUpdate update,
      @Nullable List<IpAddress> local,
      List<BindConflict> conflicts,
      List<Runnable> tasks,
      long reclaimed,
      boolean stop) {}

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition posted = lock.newCondition();
  private Map<ObjectKey, Optional<ServiceState>> services = new LinkedHashMap<>();
  private List<Problem> problems = List.of();
  private List<NodeInfo> nodes = List.of();
  private SourceChanges changes = SourceChanges.NONE;
  private boolean told;
  private @Nullable List<IpAddress> local;
  private List<BindConflict> conflicts = new ArrayList<>();
  private List<Runnable> tasks = new ArrayList<>();
  private long reclaimed = -1;
  private boolean stop;

  void change(SourceUpdate update) {
    post(
        () -> {
          update.removed().forEach(key -> services.put(key, Optional.empty()));
          update.upserted().forEach(state -> services.put(state.key(), Optional.of(state)));
          problems = update.problems();
          nodes = update.nodes();
          changes = changes.plus(update.changes());
          told = true;
        });
  }

  void local(List<IpAddress> addresses) {
    post(() -> local = addresses);
  }

  void conflict(BindConflict conflict) {
    post(
        () -> {
          if (conflicts.size() < CONFLICTS_KEPT) {
            conflicts.add(conflict);
          }
        });
  }

  /** Has something done on the owner's thread, soon; what it changes is applied after it. */
  void run(Runnable task) {
    post(() -> tasks.add(task));
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

  private boolean isEmpty() {
    return !told
        && local == null
        && conflicts.isEmpty()
        && tasks.isEmpty()
        && reclaimed < 0
        && !stop;
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
      while (isEmpty()) {
        if (timeoutMillis < 0) {
          posted.await();
        } else if (left > 0) {
          left = posted.awaitNanos(left);
        } else {
          break;
        }
      }
      Work work =
          new Work(told ? update() : null, local, List.copyOf(conflicts), tasks, reclaimed, stop);
      services = new LinkedHashMap<>();
      changes = SourceChanges.NONE;
      told = false;
      local = null;
      conflicts = new ArrayList<>();
      tasks = new ArrayList<>();
      reclaimed = -1;
      return work;
    } finally {
      lock.unlock();
    }
  }

  private SourceUpdate update() {
    List<ServiceState> upserted = new ArrayList<>(services.size());
    List<ObjectKey> removed = new ArrayList<>();
    services.forEach((key, state) -> state.ifPresentOrElse(upserted::add, () -> removed.add(key)));
    return new SourceUpdate(upserted, removed, problems, nodes, changes);
  }
}
