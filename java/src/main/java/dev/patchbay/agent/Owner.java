// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import dev.patchbay.compile.Compiler;
import dev.patchbay.compile.Rejection;
import dev.patchbay.model.ClusterSnapshot;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Problem;
import dev.patchbay.model.ServicePortKey;
import dev.patchbay.model.ServiceState;
import dev.patchbay.reconcile.ApplyReport;
import dev.patchbay.reconcile.DataplaneStore;
import dev.patchbay.reconcile.Reconciler;
import dev.patchbay.reconcile.Refusal;
import dev.patchbay.table.DesiredState;
import dev.patchbay.table.ObservedState;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one that decides what the maps hold: takes changes, compiles them, applies the difference.
 *
 * <pre>
 *   plan = plan( compile(snapshot, node), observed, allocation )
 * </pre>
 *
 * <p>Confined to one thread, the owner; others read {@link Outcome}s, which are immutable.
 */
final class Owner {
  private static final Logger log = LoggerFactory.getLogger(Owner.class);

  /** Of a kind, so that a broken directory does not flood the log. */
  private static final int LINES_AT_ONCE = 20;

  private static final long FIRST_RETRY_MILLIS = 100;
  private static final long LAST_RETRY_MILLIS = 5000;

  /**
   * What is true after an apply.
   *
   * @param cluster what the source said
   * @param refusals what does not fit the maps
   * @param healthy whether all that fits is in place
   */
  record Outcome(ClusterSnapshot cluster, Map<ServicePortKey, Refusal> refusals, boolean healthy) {}

  /** Hears of each outcome, on the owner's thread. */
  @FunctionalInterface
  interface Listener {
    void applied(Outcome outcome);
  }

  private final Compiler compiler;
  private final Reconciler reconciler;
  private final Listener listener;
  private ClusterSnapshot cluster = ClusterSnapshot.EMPTY;
  private Set<String> complaints = Set.of();
  private long retryMillis = FIRST_RETRY_MILLIS;
  private boolean failing;

  Owner(DataplaneStore store, ObservedState observed, NodeFacts node, Listener listener) {
    this.listener = listener;
    compiler = new Compiler(node);
    reconciler = Reconciler.adopt(store, observed);
    for (String problem : reconciler.adoptionProblems()) {
      log.atWarn().addKeyValue("found", problem).log("the pinned maps need repair");
    }
  }

  /** Applies all that the source knows, and removes from the maps what it does not know. */
  ApplyReport start(ClusterSnapshot first) {
    cluster = first;
    compiler.update(first.services().values(), Set.of());
    reconciler.replaceAll(compiler.desired());
    ApplyReport report = reconciler.apply();
    conclude(report, first.services().size());
    return report;
  }

  /** All rows that are wanted now. */
  DesiredState desired() {
    return compiler.desired();
  }

  /** What of it does not fit. */
  Map<ServicePortKey, Refusal> refused() {
    return reconciler.refused();
  }

  /** Serves the inbox until it says stop. */
  void serve(Inbox inbox, Reclaimer reclaimer) throws InterruptedException {
    requestReclaim(reclaimer);
    while (true) {
      Inbox.Work work = inbox.take(failing ? retryMillis : -1);
      if (work.stop()) {
        return;
      }
      if (work.reclaimed() >= 0) {
        reconciler.reclaimed(work.reclaimed());
      }
      ClusterSnapshot newest = work.snapshot();
      if (newest != null) {
        change(newest, work.changed());
      }
      if (newest != null || reconciler.hasWork()) {
        conclude(reconciler.apply(), work.changed().size());
      }
      requestReclaim(reclaimer);
    }
  }

  private void change(ClusterSnapshot newest, Collection<ObjectKey> changed) {
    List<ServiceState> upserted = new ArrayList<>(changed.size());
    List<ObjectKey> removed = new ArrayList<>();
    for (ObjectKey key : changed) {
      ServiceState state = newest.services().get(key);
      if (state == null) {
        removed.add(key);
      } else {
        upserted.add(state);
      }
    }
    cluster = newest;
    reconciler.change(compiler.update(upserted, removed));
  }

  private void requestReclaim(Reclaimer reclaimer) {
    OptionalLong mark = reconciler.quarantineMark();
    if (mark.isPresent()) {
      reclaimer.request(mark.getAsLong());
    }
  }

  private void conclude(ApplyReport report, int services) {
    if (report.succeeded()) {
      if (report.changedAnything() || failing) {
        log.info("applied services={} {}", services, report);
      }
      failing = false;
      retryMillis = FIRST_RETRY_MILLIS;
    } else {
      if (!failing) {
        log.error("apply failed, trying again until it works: {} {}", report.failures(), report);
      }
      retryMillis = failing ? Math.min(2 * retryMillis, LAST_RETRY_MILLIS) : FIRST_RETRY_MILLIS;
      failing = true;
    }
    Map<ServicePortKey, Refusal> refused = reconciler.refused();
    complain(refused);
    listener.applied(new Outcome(cluster, refused, !failing));
  }

  /** Logs what is wrong with the input and was not a moment ago. */
  private void complain(Map<ServicePortKey, Refusal> refused) {
    Set<String> now = new HashSet<>();
    List<String> fresh = new ArrayList<>();
    for (Problem problem : cluster.problems()) {
      if (problem.severity() != Problem.Severity.NOTE) {
        note(problem.toString(), now, fresh);
      }
    }
    for (Rejection rejection : compiler.rejections()) {
      note(rejection.who() + ": " + rejection.sentence(), now, fresh);
    }
    new TreeMap<>(refused).forEach((key, refusal) -> note(key + ": " + refusal, now, fresh));
    for (String complaint : fresh.subList(0, Math.min(fresh.size(), LINES_AT_ONCE))) {
      log.warn("{}", complaint);
    }
    if (fresh.size() > LINES_AT_ONCE) {
      log.warn(
          "and {} more; see `patchbay validate` for the manifests, `patchbay status` for the maps",
          fresh.size() - LINES_AT_ONCE);
    }
    complaints = now;
  }

  private void note(String complaint, Set<String> now, List<String> fresh) {
    now.add(complaint);
    if (!complaints.contains(complaint)) {
      fresh.add(complaint);
    }
  }
}
