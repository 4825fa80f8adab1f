// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import dev.patchbay.agent.snapshot.Snapshot;
import dev.patchbay.agent.snapshot.SnapshotChange;
import dev.patchbay.agent.snapshot.SnapshotLog;
import dev.patchbay.model.ClusterSnapshot;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Problem;
import dev.patchbay.model.ServiceState;
import dev.patchbay.model.SourceUpdate;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Leaves what the agent knows in the state directory, on a thread of its own, so that a slow disk
 * never delays a change. What changed is added to the file; the whole is written when there is no
 * telling what changed, or when a new file is cheaper. Several changes that wait are written as
 * one; between two writes it rests for nine times as long as the last one took, so that it costs at
 * most a tenth of a core.
 */
final class SnapshotWriter implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(SnapshotWriter.class);
  private static final int REST_FACTOR = 9;

  /** With more changed Services that wait, all are written, so that no more wait. */
  private static final int SERVICES_WAITING = 4096;

  private final SnapshotLog file;
  private final Path stateDir;
  private final Thread thread;

  /** Newer than the file; null if nothing is. */
  private @Nullable Offer next;

  /** What the file lacks. */
  private List<SourceUpdate> updates = new ArrayList<>();

  private int waiting;
  private boolean closed;

  /** What the file says; null if a whole snapshot is to be written. Of this object's thread. */
  private @Nullable Snapshot said;

  private List<Problem> problems = List.of();
  private long restUntil = System.nanoTime();
  private boolean failing;

  /**
   * A state to be written.
   *
   * @param cluster what the source has told until then, or later
   * @param snapshot makes a snapshot of that state with the given Services and problems
   */
  private record Offer(KnownCluster cluster, Function<ClusterSnapshot, Snapshot> snapshot) {}

  /**
   * What is to be done.
   *
   * @param updates all that differs from what was taken before; null if that is not known
   */
  private record Work(Offer offer, @Nullable List<SourceUpdate> updates) {}

  SnapshotWriter(Path stateDir) {
    this.stateDir = stateDir;
    file = new SnapshotLog(stateDir);
    thread = Thread.ofPlatform().name("patchbay-snapshot").daemon().start(this::loop);
  }

  /**
   * Says that there is a newer state; any thread. Costs nothing in proportion to what changed.
   *
   * @param update what differs from the state offered before; null if nothing of the cluster does
   * @param cluster what the source has told, {@code update} included
   * @param snapshot makes the snapshot, on the thread of this object, with the Services it is given
   */
  synchronized void offer(
      @Nullable SourceUpdate update,
      KnownCluster cluster,
      Function<ClusterSnapshot, Snapshot> snapshot) {
    next = new Offer(cluster, snapshot);
    if (update != null) {
      waiting += update.upserted().size() + update.removed().size();
      if (waiting > SERVICES_WAITING) {
        updates.clear();
      } else {
        updates.add(update);
      }
    }
    notifyAll();
  }

  private void loop() {
    try (file) {
      Work work = take();
      while (work != null) {
        long start = System.nanoTime();
        write(work);
        tidy();
        long now = System.nanoTime();
        restUntil = now + (now - start) * REST_FACTOR;
        work = take();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** What to write next, after a rest; null once closed and nothing is left. */
  private synchronized @Nullable Work take() throws InterruptedException {
    while (next == null && !closed) {
      wait();
    }
    Workers.rest(this, restUntil - System.nanoTime(), () -> closed);
    if (next == null) {
      return null;
    }
    Work work = new Work(next, waiting > SERVICES_WAITING ? null : updates);
    next = null;
    updates = new ArrayList<>();
    waiting = 0;
    return work;
  }

  /** All that a change leads to has been done when its snapshot is written. */
  private void tidy() {
    boolean ending;
    synchronized (this) {
      ending = closed;
    }
    if (!ending) {
      Heap.trim();
    }
  }

  private void write(Work work) {
    try {
      if (!append(work)) {
        replace(work.offer);
      }
      failing = false;
    } catch (IOException e) {
      if (!failing) {
        log.atWarn()
            .addKeyValue("dir", stateDir)
            .addKeyValue("error", e)
            .log("snapshot not written; names and reasons that commands show grow old");
      }
      failing = true;
    }
  }

  private void replace(Offer offer) throws IOException {
    said = null;
    problems = offer.cluster.problems();
    Snapshot whole = offer.snapshot.apply(offer.cluster.snapshot());
    file.replace(whole);
    said = whole.with(ClusterSnapshot.EMPTY);
  }

  /** Adds what changed; returns false if all has to be written. */
  private boolean append(Work work) {
    KnownCluster cluster = work.offer.cluster;
    Snapshot now = work.offer.snapshot.apply(ClusterSnapshot.EMPTY);
    if (work.updates == null || said == null || !now.isOfSameAgent(said)) {
      return false;
    }
    List<Problem> problemsNow = cluster.problems();
    Set<ObjectKey> changed = new LinkedHashSet<>();
    for (SourceUpdate update : work.updates) {
      update.upserted().forEach(state -> changed.add(state.key()));
      changed.addAll(update.removed());
    }
    List<ServiceState> upserted = new ArrayList<>();
    List<ObjectKey> removed = new ArrayList<>();
    for (ObjectKey key : changed) {
      ServiceState state = cluster.service(key);
      if (state == null) {
        removed.add(key);
      } else {
        upserted.add(state);
      }
    }
    SnapshotChange change =
        new SnapshotChange(
            now.writtenMillis(),
            now.refusals().equals(said.refusals()) ? null : now.refusals(),
            problemsNow.equals(problems) ? null : problemsNow,
            removed,
            upserted);
    try {
      if (!file.append(change)) {
        return false;
      }
    } catch (IOException e) {
      return false; // a new file may succeed, or says why not
    }
    said = now;
    problems = problemsNow;
    return true;
  }

  /** Writes what is left and ends; waits at most a second. */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      notifyAll();
    }
    Workers.join(thread, Duration.ofSeconds(1));
  }
}
