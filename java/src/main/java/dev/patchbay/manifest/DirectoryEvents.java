// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import java.io.IOException;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Events of the file system about one directory, in batches: a change is told when nothing more has
 * happened for a moment, or when it has waited long enough. Where the system gives no events
 * (inotify instances used up), it only lets time pass.
 *
 * <p>Used by one thread; {@link #close} by any.
 */
final class DirectoryEvents implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(DirectoryEvents.class);
  private static final long QUIET_NANOS = TimeUnit.MILLISECONDS.toNanos(20);
  private static final long MAX_DELAY_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  /**
   * Names to look at.
   *
   * @param some names of manifests that events told of
   * @param all whether any other file may have changed as well
   * @param sinceNanos when the first event came, by {@link System#nanoTime()}
   */
  record Names(Set<String> some, boolean all, long sinceNanos) {}

  private final Path directory;
  private final @Nullable WatchService service;
  private @Nullable WatchKey registration;
  private boolean warned;
  private volatile boolean closed;

  DirectoryEvents(Path directory) {
    this.directory = directory;
    WatchService created = null;
    try {
      created = directory.getFileSystem().newWatchService();
    } catch (IOException | UnsupportedOperationException e) {
      withoutEvents(e);
    }
    this.service = created;
  }

  /** Whether changes are told at all. */
  boolean isWorking() {
    return registration != null;
  }

  /** Whether there is nothing to gain from {@link #register()}. */
  boolean isRegistered() {
    return service == null || (registration != null && registration.isValid());
  }

  /** Asks for events about the directory that the path names now. */
  void register() {
    if (registration != null) {
      registration.cancel();
      registration = null;
    }
    if (service == null || closed) {
      return;
    }
    try {
      registration =
          directory.register(
              service,
              StandardWatchEventKinds.ENTRY_CREATE,
              StandardWatchEventKinds.ENTRY_MODIFY,
              StandardWatchEventKinds.ENTRY_DELETE);
    } catch (IOException e) {
      withoutEvents(e);
    } catch (ClosedWatchServiceException _) {
      closed = true;
    }
  }

  /** Waits for events, at most for a time given in nanoseconds. */
  Names await(long nanos) throws InterruptedException {
    Set<String> some = new HashSet<>();
    boolean all = false;
    long start = System.nanoTime();
    if (service == null || closed) {
      TimeUnit.NANOSECONDS.sleep(nanos);
      return new Names(some, true, System.nanoTime());
    }
    try {
      WatchKey key = service.poll(nanos, TimeUnit.NANOSECONDS);
      if (key != null) {
        start = System.nanoTime();
      }
      while (key != null) {
        all |= collect(key, some);
        long left = Math.min(QUIET_NANOS, start + MAX_DELAY_NANOS - System.nanoTime());
        key = left <= 0 ? null : service.poll(left, TimeUnit.NANOSECONDS);
      }
    } catch (ClosedWatchServiceException _) {
      closed = true;
    }
    return new Names(some, all, start);
  }

  @Override
  public void close() {
    closed = true;
    if (service != null) {
      try {
        service.close();
      } catch (IOException e) {
        LOG.debug("closing the watch service failed", e);
      }
    }
  }

  /** Takes the names of a key's events; returns whether events were lost. */
  private static boolean collect(WatchKey key, Set<String> into) {
    boolean lost = false;
    for (WatchEvent<?> event : key.pollEvents()) {
      String name = String.valueOf(event.context());
      if (event.kind().equals(StandardWatchEventKinds.OVERFLOW)) {
        lost = true;
      } else if (Directory.isManifest(name)) {
        into.add(name);
      }
    }
    key.reset();
    return lost;
  }

  private void withoutEvents(Exception e) {
    if (warned) {
      return;
    }
    warned = true;
    LOG.atWarn()
        .addKeyValue("dir", directory)
        .addKeyValue("error", e.getMessage())
        .log("no events about the directory; it is looked through twice a second instead");
  }
}
