// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.scale;

import dev.patchbay.compile.Compiler;
import dev.patchbay.inspect.Canonical;
import dev.patchbay.inspect.Invariants;
import dev.patchbay.kernel.AttachResult;
import dev.patchbay.kernel.Dataplane;
import dev.patchbay.kernel.DataplaneOptions;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.ServiceState;
import dev.patchbay.reconcile.ApplyReport;
import dev.patchbay.reconcile.DataplaneStore;
import dev.patchbay.reconcile.Reconciler;
import dev.patchbay.reconcile.StoreException;
import dev.patchbay.table.ObservedState;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * A program that changes one endpoint after the other in the maps of the kernel, as the agent does:
 * one thread compiles, reconciles and stores, another waits for readers so that what is no longer
 * used can be used again.
 *
 * <p>Arguments: directory of pins, cgroup, services, changes to warm up with, rounds, changes in a
 * round, directory of the markers. Before and after each round it looks for the file {@code begin}
 * and {@code end} in that directory, so that a trace of its system calls shows where a round is.
 * Prints one line for each round.
 */
final class EndpointChanges implements AutoCloseable {
  /** As {@code dev.patchbay.agent.Reclaimer} does. */
  private static final long REST_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

  private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

  private final int services;
  private final Dataplane dataplane;
  private final Compiler compiler = new Compiler(NodeFacts.named("scale"));
  private final Reconciler reconciler;
  private final int[] versions;
  private final Random random = new Random(1);
  private final AtomicLong wanted = new AtomicLong(-1);
  private final AtomicLong reclaimed = new AtomicLong(-1);
  private final Thread reclaimer;
  private volatile boolean closed;
  private long reclaims;
  private int awaited;

  private EndpointChanges(Path bpfDir, Path cgroup, int services) throws Exception {
    this.services = services;
    versions = new int[services];
    dataplane = Dataplane.open(DataplaneOptions.defaults(bpfDir, bpfDir));
    reconciler = Reconciler.adopt(dataplane.store(), dataplane.store().load());
    List<ServiceState> all = new ArrayList<>();
    for (int i = 0; i < services; i++) {
      all.add(World.service(i, 0));
    }
    compiler.update(all, Set.of());
    reconciler.replaceAll(compiler.desired());
    require(reconciler.apply());
    if (!(dataplane.attach(cgroup) instanceof AttachResult.Attached)) {
      throw new IllegalStateException("not attached to " + cgroup);
    }
    reclaimer = Thread.ofPlatform().name("reclaimer").daemon().start(this::reclaim);
  }

  public static void main(String[] args) throws Exception {
    Path markers = Path.of(args[6]);
    try (EndpointChanges changes =
        new EndpointChanges(Path.of(args[0]), Path.of(args[1]), Integer.parseInt(args[2]))) {
      changes.round(Integer.parseInt(args[3]));
      for (int round = 1; round <= Integer.parseInt(args[4]); round++) {
        long collections = collections();
        Files.exists(markers.resolve("begin"));
        long[] nanos = changes.round(Integer.parseInt(args[5]));
        Files.exists(markers.resolve("end"));
        changes.print(round, nanos, collections() - collections);
      }
      changes.verify();
    }
  }

  private long[] round(int count) {
    long[] nanos = new long[count];
    for (int i = 0; i < count; i++) {
      int number = random.nextInt(services);
      nanos[i] = change(World.service(number, ++versions[number]));
    }
    return nanos;
  }

  /** From the parsed object to the published word. */
  private long change(ServiceState state) {
    long start = System.nanoTime();
    long mark = reclaimed.get();
    if (mark >= 0) {
      reclaimed.compareAndSet(mark, -1);
      reconciler.reclaimed(mark);
      reclaims++;
    }
    reconciler.change(compiler.update(List.of(state), Set.of()));
    ApplyReport report = reconciler.apply();
    long nanos = System.nanoTime() - start;
    require(report);
    awaited += report.readersAwaited();
    OptionalLong quarantined = reconciler.quarantineMark();
    if (quarantined.isPresent()) {
      wanted.set(quarantined.getAsLong());
    }
    return nanos;
  }

  private static void require(ApplyReport report) {
    if (!report.succeeded() || report.wordsPublished() < 1) {
      throw new IllegalStateException(report + " " + report.failures());
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

  private static long collections() {
    long sum = 0;
    for (GarbageCollectorMXBean collector : ManagementFactory.getGarbageCollectorMXBeans()) {
      sum += collector.getCollectionCount();
    }
    return sum;
  }

  private void print(int round, long[] nanos, long collections) {
    Arrays.sort(nanos);
    System.out.printf(
        "changes services=%d round=%d count=%d p50us=%.1f p99us=%.1f maxus=%.1f collections=%d"
            + " reclaims=%d awaited=%d%n",
        services,
        round,
        nanos.length,
        nanos[nanos.length / 2] / 1e3,
        nanos[nanos.length * 99 / 100] / 1e3,
        nanos[nanos.length - 1] / 1e3,
        collections,
        reclaims,
        awaited);
  }

  /** The maps hold what is wanted, and nothing that was replaced is lost to later changes. */
  private void verify() throws Exception {
    ObservedState observed = dataplane.store().load();
    List<String> wrong =
        new ArrayList<>(Canonical.of(compiler.desired()).difference(Canonical.of(observed)));
    Invariants.check(observed).forEach(violation -> wrong.add(violation.toString()));
    dataplane.store().awaitReaders();
    reconciler.quarantineMark().ifPresent(reconciler::reclaimed);
    if (reconciler.quarantineMark().isPresent()) {
      wrong.add("something stays in quarantine");
    }
    System.out.println("verified services=" + services + " wrong=" + wrong);
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
