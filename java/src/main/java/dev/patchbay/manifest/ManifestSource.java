// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * A directory of manifests as a source of Services: reads it, plays control plane, and follows
 * changes.
 *
 * <p>Problems of the input never make a call fail: they are part of the {@link Loaded#update()
 * update}, and the last good version of the objects concerned stays in force while this source
 * lives.
 *
 * <p>Threads: {@link #load()} and {@link #watch} are called once each, in this order, by one
 * thread; {@link #close()} by any.
 */
public final class ManifestSource implements AutoCloseable {
  private final ManifestSettings settings;
  private final Duration emptyGrace;
  private final AtomicReference<@Nullable ManifestListener> listener = new AtomicReference<>();
  private volatile @Nullable ManifestWatcher watcher;
  private volatile @Nullable Thread thread;

  /** Does nothing yet but remember the settings. */
  public ManifestSource(ManifestSettings settings) {
    this(settings, ManifestWatcher.EMPTY_GRACE);
  }

  ManifestSource(ManifestSettings settings, Duration emptyGrace) {
    this.settings = settings;
    this.emptyGrace = emptyGrace;
  }

  /**
   * Reads everything. Complete when it returns; assignments of addresses are on the disk then.
   *
   * @throws ManifestDirectoryException if the directory is missing or cannot be listed
   * @throws IllegalStateException if called twice
   */
  public Loaded load() throws ManifestDirectoryException {
    if (watcher != null) {
      throw new IllegalStateException("manifests are loaded already");
    }
    Directory directory = new Directory(settings.directory());
    directory.identity();
    ManifestWatcher created =
        new ManifestWatcher(directory, new Inventory(settings, directory), emptyGrace, this::tell);
    watcher = created;
    return created.start();
  }

  /**
   * Follows the directory on a thread of its own, {@code patchbay-manifests} (daemon), from the
   * state that {@link #load()} found. A change of a file is told within a fraction of a second.
   *
   * @throws IllegalStateException before {@link #load()}, or if called twice
   */
  public void watch(ManifestListener to) {
    ManifestWatcher loaded = watcher;
    if (loaded == null || !listener.compareAndSet(null, to)) {
      throw new IllegalStateException("load once, then watch once");
    }
    thread = Thread.ofPlatform().name("patchbay-manifests").daemon().start(loaded);
  }

  /** Ends the watch and waits for its thread, unless called by that thread. Idempotent. */
  @Override
  public void close() {
    ManifestWatcher current = watcher;
    if (current != null) {
      current.close();
    }
    Thread running = thread;
    if (running == null || running.equals(Thread.currentThread())) {
      return;
    }
    try {
      running.join();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private void tell(Loaded loaded) {
    ManifestListener to = listener.get();
    if (to != null) {
      to.changed(loaded);
    }
  }
}
