// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.reconcile;

import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.FrontendValue;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Carries plans out and counts what was done. Owner thread; one object for each apply.
 *
 * <p>After a failure the Services concerned stay as they are: no frontend is led to an index whose
 * publication failed, and nothing at all is deleted, because what should take over may be missing.
 * The other Services go on, unless too much fails.
 */
final class Applier {
  /** A store that fails this often in one apply will not do better at the next call. */
  private static final int MOST_FAILURES = 16;

  private final DataplaneStore store;
  private final List<ApplyReport.Failure> failures = new ArrayList<>();
  private int rangesWritten;
  private int backendsWritten;
  private int wordsPublished;
  private int frontendsUpserted;
  private int frontendsDeleted;
  private int released;
  private int rounds;
  private int readersAwaited;
  private boolean frontendsFull;

  Applier(DataplaneStore store) {
    this.store = store;
  }

  interface Call {
    void run() throws StoreException;
  }

  /**
   * Makes one call to the store.
   *
   * @return whether it succeeded
   */
  boolean attempt(Object what, Call call) {
    try {
      call.run();
      return true;
    } catch (StoreException e) {
      failures.add(new ApplyReport.Failure(what.toString(), e));
      return false;
    }
  }

  /** Waits until the programs that run now have ended. */
  boolean awaitReaders() {
    readersAwaited++;
    return attempt("await readers", store::awaitReaders);
  }

  /**
   * Carries a plan out as far as the store allows.
   *
   * @return whether all of it was
   */
  boolean execute(Plan plan) {
    rounds++;
    Set<Integer> failed = new LinkedHashSet<>();
    for (Plan.Operation operation : plan.operations()) {
      if (failures.size() >= MOST_FAILURES) {
        break;
      }
      execute(operation, failed);
    }
    return failures.isEmpty();
  }

  private void execute(Plan.Operation operation, Set<Integer> failed) {
    switch (operation) {
      case Plan.WriteRange write -> {
        if (attempt(write, () -> store.writeRange(write.base(), write.backends()))) {
          rangesWritten++;
          backendsWritten += write.backends().size();
        } else {
          failed.add(write.index());
        }
      }
      case Plan.Publish publish -> {
        if (failed.contains(publish.index())) {
          return;
        }
        if (attempt(
            publish, () -> store.publish(publish.index(), publish.word(), publish.settings()))) {
          wordsPublished++;
        } else {
          failed.add(publish.index());
        }
      }
      case Plan.UpsertFrontends upsert -> upsert(upsert, failed);
      case Plan.DeleteFrontends delete -> {
        if (failures.isEmpty() && attempt(delete, () -> store.deleteFrontends(delete.keys()))) {
          frontendsDeleted += delete.keys().size();
        }
      }
      case Plan.Release _ -> released += failures.isEmpty() ? 1 : 0;
    }
  }

  private void upsert(Plan.UpsertFrontends upsert, Set<Integer> failed) {
    Map<FrontendKey, FrontendValue> entries = upsert.entries();
    if (!failed.isEmpty()) {
      entries = new LinkedHashMap<>(entries);
      entries
          .values()
          .removeIf(
              value ->
                  value instanceof FrontendValue.ToService(int index) && failed.contains(index));
    }
    Map<FrontendKey, FrontendValue> sound = entries;
    if (sound.isEmpty()) {
      return;
    }
    if (attempt(upsert, () -> store.upsertFrontends(sound))) {
      frontendsUpserted += sound.size();
    } else if (failures.getLast().cause().reason() == StoreException.Reason.FULL) {
      frontendsFull = true;
    }
  }

  boolean succeeded() {
    return failures.isEmpty();
  }

  /** Whether {@code frontends} took fewer entries than it should. */
  boolean frontendsFull() {
    return frontendsFull;
  }

  ApplyReport report(boolean reread, long nanos) {
    return new ApplyReport(
        rangesWritten,
        backendsWritten,
        wordsPublished,
        frontendsUpserted,
        frontendsDeleted,
        released,
        rounds,
        readersAwaited,
        reread,
        nanos,
        failures);
  }
}
