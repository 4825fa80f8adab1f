// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.manifest.Directory.Signature;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Problem;
import dev.patchbay.model.Problem.Severity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows the manifest directory. Events of the file system say which names to look at; because
 * they do not tell of everything (a directory that is replaced, a symbolic link whose target
 * changes, a network file system), the directory's identity and all symbolic links are looked at
 * every two seconds and at each event, and all files every ten seconds.
 *
 * <p>Guards keep a state that is only passing from taking Services away. A directory that is gone
 * or cannot be listed leaves everything as it is, and so does one that was replaced by one without
 * manifests (an unmounted volume). A file that becomes empty is believed only when it stays empty
 * for a moment, because a shell empties a file before the command that fills it has run.
 *
 * <p>{@link #start} and then {@link #run} are called by one thread after the other; {@link #close}
 * by any.
 */
final class ManifestWatcher implements Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(ManifestWatcher.class);
  static final Duration EMPTY_GRACE = Duration.ofMillis(400);

  /** Between two looks at what may leave no event; each costs a wake-up. */
  private static final long LOOK_NANOS = TimeUnit.SECONDS.toNanos(2);

  /** The same where the system gives no events at all. */
  private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

  private static final long FULL_SCAN_NANOS = TimeUnit.SECONDS.toNanos(10);

  private final Directory directory;
  private final Inventory inventory;
  private final ManifestListener listener;
  private final Duration emptyGrace;
  private final DirectoryEvents events;
  private final Map<String, Signature> known = new HashMap<>();

  /** Files that became empty, with the time from which that is believed. */
  private final Map<String, Long> emptied = new HashMap<>();

  private @Nullable Object identity;
  private @Nullable Problem directoryProblem;

  /** Whether the directory was replaced by one that had no manifests until now. */
  private boolean holding;

  /** Whether the directory could not be read when it was looked at last. */
  private boolean lost;

  /**
   * Whether an event came since all files were looked at last. The first time nobody has asked for
   * events before.
   */
  private boolean heard = true;

  /** Whether the last look found something. */
  private boolean foundChange;

  private volatile boolean closed;

  /**
   * A watcher that does nothing yet.
   *
   * @param emptyGrace how long a file that became empty must stay empty to be believed
   */
  ManifestWatcher(
      Directory directory, Inventory inventory, Duration emptyGrace, ManifestListener listener) {
    this.directory = directory;
    this.inventory = inventory;
    this.emptyGrace = emptyGrace;
    this.listener = listener;
    this.events = new DirectoryEvents(directory.path());
  }

  /**
   * Reads everything for the first time.
   *
   * @throws ManifestDirectoryException if the directory cannot be read
   */
  Loaded start() throws ManifestDirectoryException {
    long since = System.nanoTime();
    identity = directory.identity();
    Set<ObjectKey> changed = look(directory.list(), Set.of());
    return inventory.publish(changed, directoryProblem, known.size(), since);
  }

  @Override
  public void run() {
    try (events) {
      long nextScan = System.nanoTime(); // at once: changes since start() have left no event
      while (!closed) {
        boolean due = System.nanoTime() - nextScan >= 0;
        DirectoryEvents.Names names =
            due
                ? new DirectoryEvents.Names(Set.of(), true, System.nanoTime())
                : events.await(patience(nextScan));
        heard |= !names.some().isEmpty();
        boolean expected = !due || heard || !events.isWorking();
        foundChange = false;
        boolean full = !closed && guardedStep(names);
        if (foundChange && !expected) {
          events.renew();
          heard = true; // what happens meanwhile leaves no event
          nextScan = System.nanoTime();
        } else if (full) {
          heard = false;
          nextScan = System.nanoTime() + (events.isWorking() ? FULL_SCAN_NANOS : POLL_NANOS);
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  /** Makes {@link #run} return soon. */
  void close() {
    closed = true;
    events.close();
  }

  /** How long to wait for events at most, in nanoseconds. */
  private long patience(long nextScan) {
    long now = System.nanoTime();
    long patience = Math.min(events.isWorking() ? LOOK_NANOS : POLL_NANOS, nextScan - now);
    for (long deadline : emptied.values()) {
      patience = Math.min(patience, deadline - now);
    }
    return Math.max(1, patience);
  }

  private boolean guardedStep(DirectoryEvents.Names names) {
    try {
      return step(names);
    } catch (RuntimeException e) {
      LOG.error("following the manifests failed; they are looked at again when they change", e);
      return true;
    }
  }

  /** Looks at what may have changed and tells what did; returns whether it looked at everything. */
  private boolean step(DirectoryEvents.Names names) {
    Set<ObjectKey> changed = Set.of();
    boolean full = true;
    try {
      boolean replaced = findDirectory();
      full = names.all() || replaced || holding || lost;
      changed = full ? lookAtAll(replaced, names.some()) : lookAtSome(names.some());
      lost = false;
    } catch (ManifestDirectoryException e) {
      lost = true;
      directoryProblem =
          Inventory.general(Severity.ERROR, e.getMessage() + "; what was read last stays in force");
    }
    foundChange = !changed.isEmpty();
    if (!changed.isEmpty() || inventory.isOtherwise(directoryProblem)) {
      tell(inventory.publish(changed, directoryProblem, known.size(), names.sinceNanos()));
    }
    return full;
  }

  /** Asks for events if need be; returns whether the path names another directory than before. */
  private boolean findDirectory() throws ManifestDirectoryException {
    Object found = directory.identity();
    boolean replaced = !found.equals(identity);
    if (replaced || !events.isRegistered()) {
      events.register();
    }
    identity = found;
    return replaced;
  }

  private Set<ObjectKey> lookAtSome(Set<String> touched) throws ManifestDirectoryException {
    TreeSet<String> names = new TreeSet<>(touched);
    names.addAll(emptied.keySet());
    known.forEach(
        (name, signature) -> {
          if (signature.link()) {
            names.add(name);
          }
        });
    return look(names, touched);
  }

  private Set<ObjectKey> lookAtAll(boolean replaced, Set<String> touched)
      throws ManifestDirectoryException {
    NavigableSet<String> names = directory.list();
    holding = (replaced || holding) && names.isEmpty() && !known.isEmpty();
    if (holding) {
      directoryProblem =
          Inventory.general(
              Severity.ERROR,
              "manifest directory "
                  + directory.path()
                  + " was replaced by one without manifests; what was read last stays in force"
                  + " until there is one");
      return Set.of();
    }
    names.addAll(known.keySet());
    return look(names, touched);
  }

  /**
   * Looks at names and reads what differs.
   *
   * @param touched names to be read even if they look the same
   */
  private Set<ObjectKey> look(Collection<String> names, Set<String> touched)
      throws ManifestDirectoryException {
    Map<String, Signature> changed = new TreeMap<>();
    List<String> gone = new ArrayList<>();
    for (String name : names) {
      Signature now = directory.signature(name);
      Signature before = known.get(name);
      if (now == null) {
        gone.add(name);
      } else if ((touched.contains(name) || !now.equals(before)) && !isPassing(name, now, before)) {
        changed.put(name, now.readAt(System.currentTimeMillis()));
      }
    }
    if (!directory.identity().equals(identity)) {
      return Set.of(); // replaced in between: what was seen is of no directory
    }
    known.putAll(changed);
    known.keySet().removeAll(gone);
    emptied.keySet().removeAll(gone);
    directoryProblem = known.isEmpty() ? withoutManifests() : null;
    return changed.isEmpty() && gone.isEmpty()
        ? Set.of()
        : inventory.update(List.copyOf(changed.keySet()), gone);
  }

  /** Whether a file has just become empty, so that its content is probably still to come. */
  private boolean isPassing(String name, Signature now, @Nullable Signature before) {
    if (!now.isEmptyFile() || before == null || before.size() == 0) {
      emptied.remove(name);
      return false;
    }
    long deadline = emptied.computeIfAbsent(name, _ -> System.nanoTime() + emptyGrace.toNanos());
    if (System.nanoTime() - deadline < 0) {
      return true;
    }
    emptied.remove(name);
    return false;
  }

  private Problem withoutManifests() {
    return Inventory.general(
        Severity.WARNING,
        "manifest directory "
            + directory.path()
            + " has no manifests: files whose names end in"
            + " .yaml, .yml or .json");
  }

  private void tell(Loaded loaded) {
    try {
      listener.changed(loaded);
    } catch (RuntimeException e) {
      LOG.error("a listener failed on a change of the manifests", e);
    }
  }
}
