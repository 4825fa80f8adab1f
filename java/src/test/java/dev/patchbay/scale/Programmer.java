// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.scale;

import dev.patchbay.compile.Compiler;
import dev.patchbay.inspect.Canonical;
import dev.patchbay.inspect.Invariants;
import dev.patchbay.kernel.AttachResult;
import dev.patchbay.kernel.Dataplane;
import dev.patchbay.kernel.DataplaneOptions;
import dev.patchbay.kernel.KernelException;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.ServiceState;
import dev.patchbay.reconcile.ApplyReport;
import dev.patchbay.reconcile.DataplaneStore;
import dev.patchbay.reconcile.Reconciler;
import dev.patchbay.reconcile.StoreException;
import dev.patchbay.table.ObservedState;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Programs the maps of the kernel as the agent does, from parsed objects on: the thread that calls
 * compiles, reconciles and stores; another waits for readers so that what is no longer used can be
 * used again. For one thread.
 */
public final class Programmer implements AutoCloseable {
  /** As {@code dev.patchbay.agent.Reclaimer} does. */
  private static final long REST_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

  private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

  private final Dataplane dataplane;
  private final Compiler compiler = new Compiler(NodeFacts.named("scale"));
  private final Reconciler reconciler;
  private final AtomicLong wanted = new AtomicLong(-1);
  private final AtomicLong reclaimed = new AtomicLong(-1);
  private final Thread reclaimer;
  private volatile boolean closed;
  private long reclaims;
  private int awaited;

  private Programmer(Dataplane dataplane) throws StoreException {
    this.dataplane = dataplane;
    reconciler = Reconciler.adopt(dataplane.store(), dataplane.store().load());
    reclaimer = Thread.ofPlatform().name("reclaimer").daemon().start(this::reclaim);
  }

  /** Opens a dataplane and attaches it to a cgroup. */
  public static Programmer open(DataplaneOptions options, Path cgroup)
      throws KernelException, StoreException {
    Dataplane dataplane = Dataplane.open(options);
    if (!(dataplane.attach(cgroup) instanceof AttachResult.Attached)) {
      dataplane.close();
      throw new IllegalStateException("not attached to " + cgroup);
    }
    return new Programmer(dataplane);
  }

  /**
   * Adds the first Services, as a start does when every source has delivered.
   *
   * @return nanoseconds from the parsed objects to the last word
   */
  public long load(Collection<ServiceState> services) {
    long start = System.nanoTime();
    reclaimed();
    var ignored = compiler.update(services, Set.of());
    reconciler.replaceAll(compiler.desired());
    return apply(start, services.isEmpty() ? 0 : 1);
  }

  /**
   * Changes one Service.
   *
   * @return nanoseconds from the parsed object to the published word
   */
  public long change(ServiceState state) {
    return change(List.of(state));
  }

  /** Changes several at once. */
  public long change(Collection<ServiceState> states) {
    long start = System.nanoTime();
    reclaimed();
    reconciler.change(compiler.update(states, Set.of()));
    return apply(start, 1);
  }

  /** Removes Services. */
  public long remove(Collection<ObjectKey> services) {
    long start = System.nanoTime();
    reclaimed();
    reconciler.change(compiler.update(List.of(), services));
    return apply(start, 0);
  }

  private long apply(long start, int words) {
    ApplyReport report = reconciler.apply();
    long nanos = System.nanoTime() - start;
    if (!report.succeeded() || report.wordsPublished() < words) {
      throw new IllegalStateException(report + " " + report.failures());
    }
    awaited += report.readersAwaited();
    OptionalLong quarantined = reconciler.quarantineMark();
    if (quarantined.isPresent()) {
      wanted.set(quarantined.getAsLong());
    }
    return nanos;
  }

  private void reclaimed() {
    long mark = reclaimed.get();
    if (mark >= 0) {
      reclaimed.compareAndSet(mark, -1);
      reconciler.reclaimed(mark);
      reclaims++;
    }
  }

  /** Hands marks over without a lock, so that the other thread is never woken by a system call. */
  private void reclaim() {
    DataplaneStore store = dataplane.store();
    try {
      while (!closed) {
        long mark = wanted.getAndSet(-1);
        if (mark >= 0) {
          store.awaitReaders();
          reclaimed.set(mark);
        }
        LockSupport.parkNanos(mark >= 0 ? REST_NANOS : POLL_NANOS);
      }
    } catch (StoreException e) {
      throw new IllegalStateException(e);
    }
  }

  /** How often what was no longer used could be used again. */
  public long reclaims() {
    return reclaims;
  }

  /** How often a change had to wait for readers itself. */
  public int awaited() {
    return awaited;
  }

  /**
   * What is wrong in the maps: they hold what is wanted, and nothing that was replaced is lost to
   * later changes.
   */
  public List<String> wrong() throws StoreException {
    ObservedState observed = dataplane.store().load();
    List<String> wrong =
        new ArrayList<>(Canonical.of(compiler.desired()).difference(Canonical.of(observed)));
    Invariants.check(observed).forEach(violation -> wrong.add(violation.toString()));
    dataplane.store().awaitReaders();
    reconciler.quarantineMark().ifPresent(reconciler::reclaimed);
    if (reconciler.quarantineMark().isPresent()) {
      wrong.add("something stays in quarantine");
    }
    return wrong;
  }

  @Override
  public void close() {
    closed = true;
    try {
      reclaimer.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    dataplane.close();
  }
}
