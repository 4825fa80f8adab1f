// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.reconcile;

import dev.patchbay.model.ServicePortKey;
import dev.patchbay.table.DesiredChange;
import dev.patchbay.table.DesiredState;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.ObservedState;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the maps equal to the rows that are wanted.
 *
 * <p>Life cycle: {@link #adopt} what the maps hold; tell what is wanted with {@link #replaceAll} or
 * {@link #change}; {@link #apply}. Nothing is deleted before {@link #replaceAll} or {@link
 * #complete} has said that all that is wanted is known. Work is proportional to what changed, not
 * to what there is.
 *
 * <p>What fails stays pending, and the next {@code apply} first reads the maps again, because a
 * failed call may have taken effect in part: a failure is handled as a restart is. What does not
 * fit is {@link #refused} by name and tried again once something becomes free.
 *
 * <p>Not thread-safe: one thread, the owner, makes all calls. To free what is in quarantine without
 * making the owner wait: the owner takes a {@link #quarantineMark}, another thread calls {@link
 * DataplaneStore#awaitReaders}, and the owner passes the mark to {@link #reclaimed}.
 */
public final class Reconciler {
  /** After so many passes that were spared, rows are compared although nothing has changed. */
  static final int SPARED_AT_MOST = 100;

  private final DataplaneStore store;
  private final Ledger ledger;

  /** What the next apply begins with, if it was asked for and nothing has changed since. */
  private @Nullable Prepared prepared;

  /** A call failed: what is believed about the maps may be wrong. */
  private boolean stale;

  /** The comparison under way; null if there is none. */
  private @Nullable Audit audit;

  /** How often in a row the comparison was spared because nothing had changed. */
  private int spared;

  /** An entry was refused although there should have been room. */
  private boolean frontendsFull;

  private Reconciler(DataplaneStore store, ObservedState observed) {
    this.store = store;
    ledger = new Ledger(observed);
  }

  /**
   * Starts from what the maps hold.
   *
   * @param store where to write
   * @param observed what {@code store} was just loaded with; its backends are read while it is used
   */
  public static Reconciler adopt(DataplaneStore store, ObservedState observed) {
    return new Reconciler(store, observed);
  }

  /** What was wrong with the maps when they were last read; the next apply repairs it. */
  public List<String> adoptionProblems() {
    return ledger.adoptionProblems();
  }

  /** Changes what is wanted. Takes effect with the next {@link #apply}. */
  public void change(DesiredChange change) {
    discardPlan();
    change.removed().forEach(ledger::remove);
    change.upserted().forEach(ledger::upsert);
    change.unwanted().forEach(ledger::dropWildcard);
    change.wildcards().forEach(ledger::upsertWildcard);
  }

  /** Replaces all that is wanted, and says that this is all. */
  public void replaceAll(DesiredState desired) {
    discardPlan();
    ledger.replaceAll(desired);
    ledger.complete();
  }

  /** Says that all that is wanted has been told: from now on the rest is deleted. */
  public void complete() {
    discardPlan();
    ledger.complete();
  }

  private void discardPlan() {
    if (prepared != null) {
      ledger.discard(prepared);
      prepared = null;
    }
  }

  /**
   * Whether, since this was last asked, rows lost a backend or an address to which sockets may be
   * connected that have to be destroyed: those of UDP, and of TCP where the Service asks for it.
   */
  public boolean takeDepartures() {
    return ledger.takeDepartures();
  }

  /**
   * What the next {@link #apply} begins with, as far as that is known: empty if there is nothing to
   * do, or if the maps must be read again first. Making room may take more plans after this one.
   */
  public Plan plan() {
    return stale ? Plan.EMPTY : prepare().plan();
  }

  private Prepared prepare() {
    if (prepared == null) {
      prepared = ledger.prepare();
    }
    return prepared;
  }

  /**
   * Makes the maps what is wanted, as far as it fits and the store allows. Waits for readers only
   * if there is no other way to make room.
   */
  public ApplyReport apply() {
    long start = System.nanoTime();
    Applier applier = new Applier(store);
    boolean reread = stale;
    boolean going = !stale || applier.attempt("read the maps", this::reread);
    while (going && ledger.hasWork()) {
      going = applyOnce(applier);
    }
    frontendsFull |= applier.frontendsFull();
    return applier.report(reread, System.nanoTime() - start);
  }

  private boolean applyOnce(Applier applier) {
    Prepared current = prepare();
    prepared = null;
    stale = true; // also if the store throws what it should not
    if (!applier.execute(current.plan())) {
      return false;
    }
    stale = false;
    ledger.commit(current);
    OptionalLong mark = ledger.quarantineMark();
    if (!current.deferred().isEmpty() && mark.isPresent()) {
      if (!applier.awaitReaders()) {
        return false;
      }
      ledger.reclaimed(mark.getAsLong());
    }
    return true;
  }

  private void reread() throws StoreException {
    ObservedState observed = store.load();
    int room = observed.capacity().frontends();
    if (frontendsFull) {
      room = Math.max(1, Math.min(observed.frontends().size(), room));
    }
    ledger.reread(observed, room);
    audit = null;
    frontendsFull = false;
    stale = false;
  }

  /**
   * What a step of {@link #audit} came to.
   *
   * @param progress how far it is
   * @param found what differs; the next {@link #apply} mends it
   */
  public record AuditStep(Progress progress, List<Drift> found) {
    /** How far a comparison is. */
    public enum Progress {
      /** There are rows left to compare. */
      GOING_ON,
      /** All rows have been compared; the next step begins anew. */
      ENDED,
      /** Nothing was compared: an apply failed, so what is believed may be wrong. */
      PUT_OFF
    }

    public AuditStep {
      found = List.copyOf(found);
    }
  }

  /**
   * A step of a pass over all rows in the maps. It looks first whether anybody else has changed any
   * since they were last compared ({@link RowReader.Imprint}), and if nobody has, that was the
   * pass, but for one in {@link #SPARED_AT_MOST}. Else it compares each with what was written
   * there, some hundred at a step. As soon as anything differs, compares all the rest too, and
   * makes the next {@link #apply} read the maps again and put them right. While rows wait to be
   * read again anyway, compares nothing.
   *
   * @param reader reads what {@code store} writes
   */
  public AuditStep audit(RowReader reader) throws StoreException {
    if (stale) {
      audit = null;
      return new AuditStep(AuditStep.Progress.PUT_OFF, List.of());
    }
    if (audit == null) {
      switch (reader.imprint().look()) {
        case MORE -> {
          return new AuditStep(AuditStep.Progress.GOING_ON, List.of());
        }
        case SAME -> {
          if (spared++ < SPARED_AT_MOST) {
            return new AuditStep(AuditStep.Progress.ENDED, List.of());
          }
        }
        case UNKNOWN -> {}
      }
      audit = ledger.audit(reader);
    }
    Audit current = audit;
    boolean more = current.step();
    while (more && !current.found().isEmpty()) {
      more = current.step();
    }
    if (!more) {
      audit = null;
      spared = 0;
    }
    if (current.found().isEmpty()) {
      if (!more) {
        reader.imprint().confirm();
      }
    } else {
      reader.imprint().forget();
      discardPlan();
      stale = true;
    }
    return new AuditStep(
        more ? AuditStep.Progress.GOING_ON : AuditStep.Progress.ENDED, current.found());
  }

  /** Whether {@link #apply} would do anything. */
  public boolean hasWork() {
    return stale || ledger.hasWork();
  }

  /**
   * Service ports whose rows the next {@link #apply} looks at because they changed, or because they
   * came after a failure. After a failure it looks at all the others as well.
   */
  public Set<ServicePortKey> pending() {
    return ledger.pending();
  }

  /** Service ports that do not fit, and why. They keep what they had, if anything. */
  public Map<ServicePortKey, Refusal> refused() {
    return ledger.refused();
  }

  /** Wildcards for which {@code frontends} has no room. */
  public Set<FrontendKey> refusedWildcards() {
    return ledger.refusedWildcards();
  }

  /** Where each Service port is that has a place: its index in {@code services}. Immutable. */
  public Map<ServicePortKey, Integer> indexes() {
    return ledger.indexes();
  }

  /** A mark that covers all that waits for readers now; empty if nothing does. */
  public OptionalLong quarantineMark() {
    return ledger.quarantineMark();
  }

  /**
   * All programs that ran when the mark was taken have ended: what it covers is free. If {@link
   * #hasWork} afterwards, something that was refused may fit now.
   */
  public void reclaimed(long mark) {
    ledger.reclaimed(mark);
  }
}
