// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.health;

import dev.patchbay.agent.Workers;
import dev.patchbay.compile.Reserved;
import dev.patchbay.kernel.AttachResult;
import dev.patchbay.kernel.CgroupPlace;
import dev.patchbay.kernel.Dataplane;
import dev.patchbay.kernel.Inspection;
import dev.patchbay.kernel.KernelException;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.Protocol;
import dev.patchbay.model.ServicePortKey;
import dev.patchbay.observe.HealthStats;
import dev.patchbay.reconcile.Drift;
import dev.patchbay.reconcile.Reconciler.AuditStep;
import dev.patchbay.reconcile.RowReader;
import dev.patchbay.reconcile.StoreException;
import dev.patchbay.table.ServiceRow;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds out whether the dataplane does what it should, by measuring, and repairs it where it does
 * not.
 *
 * <p>A thread of its own connects through the hooks ({@link Canary}) and asks the kernel about
 * links and programs. What concerns rows, and every repair, is done on the owner's thread, as tasks
 * that take well below a millisecond each: so nothing is compared while it changes, and nobody but
 * the owner writes.
 *
 * <p>Made and closed by one thread; {@link #applied} is for the owner; {@link #stats} for any.
 */
public final class HealthMonitor implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(HealthMonitor.class);

  /** Until the first checks, and between two; all are made in one go, because to wake up costs. */
  private static final long FIRST_MILLIS = 1000;

  private static final long TICK_MILLIS = 5000;
  private static final long PLACE_MILLIS = 60_000;
  private static final long FILE_MILLIS = 30_000;

  /** A comparison costs at most one part in so many of a core. */
  private static final long AUDIT_SHARE = 1000;

  /** How long the owner may take to answer. */
  private static final long ANSWER_MILLIS = 10_000;

  /** Differences told one by one. */
  private static final int LINES_AT_ONCE = 10;

  /** Compares some rows; on the owner's thread. */
  @FunctionalInterface
  public interface Auditor {
    AuditStep audit(RowReader reader) throws StoreException;
  }

  private final Dataplane dataplane;
  private final Path cgroup;
  private final Path stateDir;
  private final HealthState state;
  private final HealthTotals totals;
  private final Consumer<Runnable> owner;
  private final Supplier<String> sourceTrouble;
  private final Map<IpFamily, Canary> canaries = new EnumMap<>(IpFamily.class);

  /** Families that have no canary, and why. */
  private final Map<IpFamily, String> without = new EnumMap<>(IpFamily.class);

  private final List<ServiceRow> rows = new ArrayList<>();

  /** Canary rows that are in place. */
  private volatile Set<ServicePortKey> inPlace = Set.of();

  private final AtomicBoolean auditing = new AtomicBoolean();
  private final AtomicBoolean repairing = new AtomicBoolean();
  private volatile long auditRestNanos;
  private volatile long answered = System.nanoTime();

  // On the owner's thread.
  private @Nullable Auditor auditor;
  private List<Drift> unrepaired = List.of();
  private long auditNanos;
  private int auditSteps;

  /** What the last comparisons took. The shortest counts: a thread may have stood still in one. */
  private final long[] audits = new long[3];

  private int auditCount;

  // On the monitor's thread.
  private long asked = answered;
  private boolean waiting;
  private @Nullable CgroupPlace place;
  private List<Inspection.Stranger> strangers = List.of();
  private List<Result> written = List.of();
  private boolean fileFailing;

  private @Nullable Thread thread;
  private boolean closed;

  /** A check has turned since how they stand was written. */
  private boolean turned;

  /**
   * Opens what can fail; {@link #start} begins to check.
   *
   * @param dataplane attached to {@code cgroup}
   * @param stateDir where to leave how the checks stand
   * @param state hears of all that is found
   * @param owner has something done on the thread that writes
   * @param sourceTrouble why the source may be ahead; empty if all is well; any thread
   */
  public HealthMonitor(
      Dataplane dataplane,
      Path cgroup,
      Path stateDir,
      HealthState state,
      Consumer<Runnable> owner,
      Supplier<String> sourceTrouble) {
    this.dataplane = dataplane;
    this.cgroup = cgroup;
    this.stateDir = stateDir;
    this.state = state;
    this.totals = new HealthTotals(state);
    this.owner = owner;
    this.sourceTrouble = sourceTrouble;
    for (IpFamily family : IpFamily.values()) {
      try {
        Canary canary = Canary.open(family);
        canaries.put(family, canary);
        rows.addAll(canary.rows());
      } catch (IOException e) {
        without.put(family, "this node has no " + family + " loopback: " + e.getMessage());
      }
    }
  }

  /** The rows that the canaries need. */
  public List<ServiceRow> rows() {
    return List.copyOf(rows);
  }

  /** What the checks found and repaired so far. */
  public HealthStats stats() {
    return totals;
  }

  /**
   * Begins to check; on the owner's thread.
   *
   * @param rowsOfOwner compares rows
   */
  public void start(Auditor rowsOfOwner) {
    auditor = rowsOfOwner;
    thread = Thread.ofPlatform().name("patchbay-health").daemon().start(this::loop);
  }

  /**
   * Hears of each apply, on the owner's thread.
   *
   * @param failure why not all is in place; empty if it is
   * @param refused what does not fit, for people
   * @param own rows of {@link #rows} that are in place
   */
  public void applied(String failure, Collection<String> refused, Set<ServicePortKey> own) {
    if (!failure.isEmpty()) {
      state.failing(Check.APPLY, failure);
      return;
    }
    state.ok(Check.APPLY, "");
    inPlace = Set.copyOf(own);
    if (refused.isEmpty()) {
      state.ok(Check.CAPACITY, "");
    } else {
      String first = refused.iterator().next();
      state.failing(
          Check.CAPACITY,
          refused.size() == 1 ? first : first + ", and " + (refused.size() - 1) + " more");
    }
    repaired();
  }

  private void loop() {
    long audit = 0;
    long locate = 0;
    long write = 0;
    state.onTurn(this::turned);
    try {
      for (long tick = FIRST_MILLIS; rest(tick); tick = TICK_MILLIS) {
        long now = System.nanoTime();
        askOwner(now);
        source();
        if (place == null || due(locate, PLACE_MILLIS, now)) {
          locate = now;
          locate();
        }
        inspect();
        canaries();
        if (due(audit, TimeUnit.NANOSECONDS.toMillis(auditRestNanos), now)
            && auditing.compareAndSet(false, true)) {
          audit = now;
          owner.accept(this::audit);
        }
        if (write(due(write, FILE_MILLIS, now))) {
          write = now;
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static boolean due(long last, long millis, long now) {
    return last == 0 || now - last >= TimeUnit.MILLISECONDS.toNanos(millis);
  }

  private synchronized void turned() {
    turned = true;
    notifyAll();
  }

  /** Waits for the next tick, and writes meanwhile what turns; false once closed. */
  private boolean rest(long millis) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    while (true) {
      synchronized (this) {
        Workers.rest(this, end - System.nanoTime(), () -> closed || turned);
        if (closed || !turned) {
          return !closed;
        }
        turned = false;
      }
      boolean ignored = write(false);
    }
  }

  private void askOwner(long now) {
    if (waiting && answered - asked >= 0) {
      waiting = false;
      state.ok(Check.OWNER, "");
    }
    if (!waiting) {
      waiting = true;
      asked = now;
      owner.accept(() -> answered = System.nanoTime());
    } else if (now - asked >= TimeUnit.MILLISECONDS.toNanos(ANSWER_MILLIS)) {
      state.failing(
          Check.OWNER,
          "the thread that writes the maps has not answered for "
              + TimeUnit.NANOSECONDS.toSeconds(now - asked)
              + " s");
    }
  }

  private void source() {
    String trouble = sourceTrouble.get();
    if (trouble.isEmpty()) {
      state.ok(Check.SOURCE, "");
    } else {
      state.failing(Check.SOURCE, trouble);
    }
  }

  private void locate() {
    try {
      CgroupPlace now = CgroupPlace.of(cgroup);
      place = now;
      if (now.partial()) {
        state.failing(
            Check.CGROUP_ROOT,
            cgroup
                + " is not the root of the cgroup hierarchy but a part of it, number "
                + now.id()
                + ": processes outside get no Services; mount the host's hierarchy into the"
                + " container and name it with --cgroup");
      } else {
        state.ok(Check.CGROUP_ROOT, "");
      }
    } catch (KernelException e) {
      place = null; // what is wrong with it is told when programs are looked at
    }
  }

  private void inspect() {
    try {
      Inspection found = dataplane.inspect(cgroup);
      if (!found.strangers().equals(strangers)) {
        strangers = found.strangers();
        if (!strangers.isEmpty()) {
          log.atInfo()
              .addKeyValue("programs", strangers.stream().map(Object::toString).toList())
              .log("programs of others run at the same hooks");
        }
      }
      if (found.damage().isEmpty()) {
        state.ok(Check.PROGRAMS, strangers.isEmpty() ? "" : "beside them: " + joined(strangers));
        return;
      }
      state.failing(Check.PROGRAMS, joined(found.damage()));
    } catch (KernelException e) {
      state.failing(Check.PROGRAMS, e.getMessage());
    }
    if (repairing.compareAndSet(false, true)) {
      owner.accept(this::repair);
    }
  }

  private static String joined(List<?> things) {
    String some =
        things.stream()
            .limit(LINES_AT_ONCE)
            .map(Object::toString)
            .collect(Collectors.joining("; "));
    return things.size() > LINES_AT_ONCE
        ? some + "; and " + (things.size() - LINES_AT_ONCE) + " more"
        : some;
  }

  /** On the owner's thread. */
  private void repair() {
    try {
      switch (dataplane.repair(cgroup)) {
        case AttachResult.Attached(List<String> created, List<String> _) -> {
          totals.repaired(Check.PROGRAMS);
          state.mended(
              Check.PROGRAMS,
              created.isEmpty() ? "pinned again" : "attached again: " + String.join(", ", created));
        }
        case AttachResult.Elsewhere(var links) ->
            state.failing(
                Check.PROGRAMS,
                "the programs were attached elsewhere: " + joined(links) + "; left alone");
      }
    } catch (KernelException e) {
      state.failing(Check.PROGRAMS, "cannot be repaired: " + e.getMessage());
    } finally {
      repairing.set(false);
    }
  }

  private void canaries() {
    for (IpFamily family : IpFamily.values()) {
      Check check = family == IpFamily.IPV4 ? Check.CANARY_IPV4 : Check.CANARY_IPV6;
      String reason = reasonAgainst(family);
      Canary canary = canaries.get(family);
      if (canary == null || !reason.isEmpty()) {
        state.notRun(check, reason);
        continue;
      }
      String lost = fly(canary);
      // Once more: a machine may have stood still, or the rows have gone for lack of room.
      if (!lost.isEmpty() && reasonAgainst(family).isEmpty()) {
        lost = fly(canary);
      }
      if (lost.isEmpty()) {
        state.ok(check, "");
      } else {
        state.failing(check, lost);
      }
    }
  }

  /** Why the canary of a family is not sent; empty if it is. */
  private String reasonAgainst(IpFamily family) {
    String none = without.getOrDefault(family, "");
    if (!none.isEmpty()) {
      return none;
    }
    for (Protocol protocol : List.of(Protocol.TCP, Protocol.UDP)) {
      if (!inPlace.contains(Reserved.canary(family, protocol))) {
        return "its row is not in the maps: Services take all the room";
      }
    }
    try {
      return place == null || place.holdsThisProcess()
          ? ""
          : "the agent runs outside of " + cgroup + ", so its own connects are not translated";
    } catch (KernelException e) {
      return e.getMessage();
    }
  }

  /** Why it did not come back; empty if it did. */
  private String fly(Canary canary) {
    try {
      count(canary::overTcp);
      count(canary::overUdp);
      return "";
    } catch (Canary.LostException e) {
      return String.valueOf(e.getMessage());
    }
  }

  @FunctionalInterface
  private interface Flight {
    void go() throws Canary.LostException;
  }

  private void count(Flight flight) throws Canary.LostException {
    long start = System.nanoTime();
    boolean good = false;
    try {
      flight.go();
      good = true;
    } finally {
      totals.canary(good, System.nanoTime() - start);
    }
  }

  /** One step of comparing rows; on the owner's thread. */
  private void audit() {
    if (auditor == null) {
      throw new IllegalStateException("not started");
    }
    long start = System.nanoTime();
    AuditStep step;
    try {
      step = auditor.audit(dataplane.store());
    } catch (StoreException e) {
      state.failing(Check.ROWS, "cannot be read: " + e.getMessage());
      auditing.set(false);
      return;
    }
    auditNanos += System.nanoTime() - start;
    auditSteps++;
    if (!step.found().isEmpty()) {
      drifted(step.found());
    }
    switch (step.progress()) {
      case GOING_ON -> owner.accept(this::audit);
      case PUT_OFF -> endAudit();
      case ENDED -> {
        totals.audited(auditNanos);
        audits[auditCount++ % audits.length] = auditNanos;
        auditRestNanos = AUDIT_SHARE * LongStream.of(audits).min().orElse(0);
        if (step.found().isEmpty()) {
          state.ok(Check.ROWS, "");
        }
        log.atDebug()
            .addKeyValue("micros", auditNanos / 1000)
            .addKeyValue("steps", auditSteps)
            .log("compared all rows");
        endAudit();
      }
    }
  }

  private void endAudit() {
    auditNanos = 0;
    auditSteps = 0;
    auditing.set(false);
  }

  private void drifted(List<Drift> found) {
    found.forEach(drift -> totals.drifted(drift.kind()));
    unrepaired = found;
    String what = found.getFirst().what();
    state.failing(
        Check.ROWS, found.size() == 1 ? what : what + ", and " + (found.size() - 1) + " more");
    for (Drift drift : found.subList(0, Math.min(found.size(), LINES_AT_ONCE))) {
      log.atWarn()
          .addKeyValue("kind", drift.kind().label())
          .addKeyValue("what", drift.what())
          .log("drift");
    }
  }

  /** The apply that follows a comparison has put right what that found. */
  private void repaired() {
    if (unrepaired.isEmpty()) {
      return;
    }
    try {
      int foreign = dataplane.store().deleteForeignFrontends();
      if (foreign > 0) {
        log.atWarn()
            .addKeyValue("removed", foreign)
            .log("removed entries of the frontends map that nobody can read");
      }
    } catch (StoreException e) {
      state.failing(Check.ROWS, "cannot remove foreign keys: " + e.getMessage());
      return;
    }
    totals.repaired(Check.ROWS);
    totals.driftRepaired(unrepaired.size());
    state.mended(Check.ROWS, "put right: " + unrepaired.size());
    unrepaired = List.of();
  }

  /**
   * Leaves how the checks stand.
   *
   * @param anyway whether to write also if nothing has turned
   * @return whether it was written
   */
  private boolean write(boolean anyway) {
    List<Result> results = state.results();
    if (!anyway && results.equals(written)) {
      return false;
    }
    try {
      new HealthFile(System.currentTimeMillis(), ProcessHandle.current().pid(), results)
          .write(stateDir);
      written = results;
      fileFailing = false;
    } catch (IOException e) {
      if (!fileFailing) {
        log.atWarn()
            .addKeyValue("dir", stateDir)
            .addKeyValue("error", e.getMessage())
            .log("cannot leave how health stands");
      }
      fileFailing = true;
    }
    return true;
  }

  /** Ends the thread and waits for it, at most a second. */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      notifyAll();
    }
    if (thread == null || Workers.join(thread, Duration.ofSeconds(1))) {
      canaries.values().forEach(Canary::close);
    }
  }
}
