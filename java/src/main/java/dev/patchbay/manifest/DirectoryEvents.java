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
  private volatile @Nullable WatchService service;
  private @Nullable WatchKey registration;
  private boolean warned;
  private volatile boolean closed;

  DirectoryEvents(Path directory) {
    this.directory = directory;
    this.service = create();
  }

  private @Nullable WatchService create() {
    try {
      return directory.getFileSystem().newWatchService();
    } catch (IOException | UnsupportedOperationException e) {
      withoutEvents(e);
      return null;
    }
  }

  /**
   * Begins anew, because something changed of which no event told: the thread of the JDK that reads
   * them ends for good when a call of it fails once. Events that are on their way are lost.
   */
  void renew() {
    WatchService silent = service;
    if (silent == null || closed) {
      return;
    }
    LOG.atWarn()
        .addKeyValue("dir", directory)
        .log("a change came without an event; asking for events anew");
    registration = null;
    service = create();
    register();
    // a thread that has ended never answers, and closing waits for its answer
    Thread.ofPlatform().name("patchbay-close-events").daemon().start(() -> close(silent));
    if (closed) {
      close();
    }
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
    WatchService asked = service;
    if (asked == null || closed) {
      return;
    }
    try {
      registration =
          directory.register(
              asked,
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
    WatchService from = service;
    if (from == null || closed) {
      TimeUnit.NANOSECONDS.sleep(nanos);
      return new Names(some, true, System.nanoTime());
    }
    try {
      WatchKey key = from.poll(nanos, TimeUnit.NANOSECONDS);
      if (key != null) {
        start = System.nanoTime();
      }
      while (key != null) {
        all |= collect(key, some);
        long left = Math.min(QUIET_NANOS, start + MAX_DELAY_NANOS - System.nanoTime());
        key = left <= 0 ? null : from.poll(left, TimeUnit.NANOSECONDS);
      }
    } catch (ClosedWatchServiceException _) {
      closed = true;
    }
    return new Names(some, all, start);
  }

  @Override
  public void close() {
    closed = true;
    WatchService last = service;
    if (last != null) {
      close(last);
    }
  }

  private static void close(WatchService service) {
    try {
      service.close();
    } catch (IOException e) {
      LOG.debug("closing the watch service failed", e);
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
