// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import dev.patchbay.agent.snapshot.Snapshot;
import dev.patchbay.agent.snapshot.SnapshotFile;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Leaves the newest snapshot in the state directory, on a thread of its own, so that a large one
 * never delays a change. Only the newest is written; between two writes it rests for nine times as
 * long as the last one took, so that it costs at most a tenth of a core.
 */
final class SnapshotWriter implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(SnapshotWriter.class);
  private static final int REST_FACTOR = 9;

  private final Path stateDir;
  private final Thread thread;
  private @Nullable Supplier<Snapshot> next;
  private boolean closed;
  private boolean failing;

  SnapshotWriter(Path stateDir) {
    this.stateDir = stateDir;
    thread = Thread.ofPlatform().name("patchbay-snapshot").daemon().start(this::loop);
  }

  /**
   * Says that there is a newer snapshot; any thread.
   *
   * @param snapshot makes it, on the thread of this object, when it is time to write it
   */
  synchronized void offer(Supplier<Snapshot> snapshot) {
    next = snapshot;
    notifyAll();
  }

  private void loop() {
    try {
      Supplier<Snapshot> snapshot = take();
      while (snapshot != null) {
        long start = System.nanoTime();
        write(snapshot.get());
        tidy();
        rest((System.nanoTime() - start) * REST_FACTOR);
        snapshot = take();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** The next snapshot to write; null once closed and nothing is left. */
  private synchronized @Nullable Supplier<Snapshot> take() throws InterruptedException {
    while (next == null && !closed) {
      wait();
    }
    Supplier<Snapshot> snapshot = next;
    next = null;
    return snapshot;
  }

  private synchronized void rest(long nanos) throws InterruptedException {
    Workers.rest(this, nanos, () -> closed);
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

  private void write(Snapshot snapshot) {
    try {
      SnapshotFile.write(stateDir, snapshot);
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
