// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.reconcile;

import dev.patchbay.table.Backend;
import dev.patchbay.table.Capacity;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.FrontendValue;
import dev.patchbay.table.ServiceRow;
import dev.patchbay.table.ServiceWord;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Makes one plan out of the rows and frontends that need one. Its only side effect is that it takes
 * indexes and ranges from the allocation; they can be given back as long as the plan was not
 * carried out. One object makes one plan.
 *
 * <p>A set changes in place, under its index, only if every frontend that names the index is wanted
 * by the row that holds it. Otherwise a frontend on its way to another Service, or to nowhere,
 * would lead to a set that was never meant for it; so the row moves to a fresh index, and its
 * frontends follow it one by one.
 */
final class Planner {
  private final Frontends frontends;
  private final Programmed programmed;
  private final Allocation allocation;
  private final Capacity capacity;
  private final boolean mayDelete;

  /** How many more entries {@code frontends} takes. */
  private int room;

  private final List<Plan.Operation> writes = new ArrayList<>();
  private final List<Plan.Operation> publishes = new ArrayList<>();
  private final Map<FrontendKey, FrontendValue> upserts = new LinkedHashMap<>();
  private final Set<FrontendKey> deletes = new LinkedHashSet<>();
  private final List<Plan.Operation> releases = new ArrayList<>();

  /** By how much the number of frontends that name an index will change. */
  private final Map<Integer, Integer> drift = new LinkedHashMap<>();

  private final Map<Integer, List<Backend>> sets = new HashMap<>();
  private final Map<Slot, Integer> moves = new LinkedHashMap<>();
  private final Map<Slot, Refusal> refusals = new LinkedHashMap<>();
  private final Map<Slot, Refusal> shortages = new LinkedHashMap<>();
  private final Set<FrontendKey> unsettled = new LinkedHashSet<>();
  private final Set<FrontendKey> refusedWildcards = new LinkedHashSet<>();
  private final List<Integer> takenIndexes = new ArrayList<>();
  private final List<BackendRange> takenRanges = new ArrayList<>();

  /**
   * @param capacity how many entries each map takes
   * @param mayDelete whether all that is wanted is known, so that the rest can go
   */
  Planner(
      Frontends frontends,
      Programmed programmed,
      Allocation allocation,
      Capacity capacity,
      boolean mayDelete) {
    this.frontends = frontends;
    this.programmed = programmed;
    this.allocation = allocation;
    this.mayDelete = mayDelete;
    this.capacity = capacity;
    this.room = capacity.frontends() - frontends.observedCount();
  }

  /** Plans for these rows, the first come first served, and for all unsettled frontends. */
  Prepared plan(List<Slot> rows) {
    rows.forEach(this::planRow);
    planWildcards();
    List<FrontendKey> unwanted = unwanted();
    Set<Slot> deferred = judgeShortages(unwanted);
    if (mayDelete && !waitsForReaders(deferred)) {
      unwanted.forEach(this::delete);
    } else {
      unsettled.addAll(unwanted);
    }
    releaseIndexes();
    List<Plan.Operation> operations = new ArrayList<>(writes);
    operations.addAll(publishes);
    if (!upserts.isEmpty()) {
      operations.add(new Plan.UpsertFrontends(upserts));
    }
    if (!deletes.isEmpty()) {
      operations.add(new Plan.DeleteFrontends(List.copyOf(deletes)));
    }
    operations.addAll(releases);
    return new Prepared(
        new Plan(operations),
        sets,
        moves,
        refusals,
        deferred,
        unsettled,
        refusedWildcards,
        takenIndexes,
        takenRanges);
  }

  private List<FrontendKey> unwanted() {
    return frontends.unsettled().stream().filter(frontends::isUnwanted).toList();
  }

  /**
   * Whether a row may find a place as soon as readers have ended. Until then nothing is deleted:
   * its old frontends may be among what nobody wants, and its new ones are not there yet.
   */
  private boolean waitsForReaders(Set<Slot> deferred) {
    return allocation.mark().isPresent()
        && deferred.stream()
            .map(shortages::get)
            .anyMatch(shortage -> shortage != null && shortage.limit() != Refusal.Limit.FRONTENDS);
  }

  private void planRow(Slot slot) {
    ServiceRow row = slot.row;
    if (row.frontends().isEmpty()) {
      return; // nothing leads to it, so it needs no place
    }
    if (row.backends().size() > ServiceWord.MAX_COUNT) {
      int size = row.backends().size();
      refuse(slot, new Refusal(Refusal.Limit.ENDPOINTS, size, ServiceWord.MAX_COUNT));
      return;
    }
    int index = slot.index;
    boolean hasSet = index >= 0 && hasSet(index, row.backends());
    boolean unchanged = hasSet && programmed.hasSettings(index, row.settings());
    if (!unchanged && index >= 0 && !holdsAlone(slot)) {
      index = Slot.NOWHERE;
      hasSet = false;
    }
    List<FrontendKey> missing = missing(row, index);
    int added = (int) missing.stream().filter(key -> frontends.observed(key) == null).count();
    if (added > room) {
      shortOf(slot, Refusal.Limit.FRONTENDS, added);
      return;
    }
    if (!unchanged) {
      index = place(slot, index, hasSet);
      if (index == Slot.NOWHERE) {
        return;
      }
    }
    room -= added;
    for (FrontendKey key : missing) {
      upsert(key, new FrontendValue.ToService(index));
    }
  }

  private boolean hasSet(int index, List<Backend> backends) {
    return !allocation.isDamaged(index) && programmed.hasSet(index, backends);
  }

  /** Whether all frontends that name the row's index are its own. */
  private boolean holdsAlone(Slot slot) {
    int own = 0;
    for (FrontendKey key : slot.row.frontends()) {
      if (frontends.leadsTo(key, slot.index)) {
        own++;
      }
    }
    return own == frontends.references(slot.index);
  }

  private List<FrontendKey> missing(ServiceRow row, int index) {
    List<FrontendKey> missing = new ArrayList<>();
    for (FrontendKey key : row.frontends()) {
      if (index < 0 || !frontends.leadsTo(key, index)) {
        missing.add(key);
      }
    }
    return missing;
  }

  /**
   * Plans the publication of a row's content.
   *
   * @param wantedIndex where, or {@link Slot#NOWHERE} for a fresh index
   * @param hasSet whether the set is there already, so that only settings change
   * @return where, or {@link Slot#NOWHERE} if there is no place
   */
  private int place(Slot slot, int wantedIndex, boolean hasSet) {
    List<Backend> backends = slot.row.backends();
    int index = wantedIndex;
    if (index == Slot.NOWHERE) {
      OptionalInt fresh = allocation.takeIndex();
      if (fresh.isEmpty()) {
        shortOf(slot, Refusal.Limit.SERVICES, 1);
        return Slot.NOWHERE;
      }
      index = fresh.getAsInt();
    }
    ServiceWord word = programmed.word(index);
    BackendRange range =
        hasSet ? BackendRange.of(word) : allocation.takeRange(backends.size()).orElse(null);
    if (range == null) {
      shortOf(slot, Refusal.Limit.BACKENDS, backends.size());
      if (wantedIndex == Slot.NOWHERE) {
        allocation.giveBack(index);
      }
      return Slot.NOWHERE;
    }
    if (wantedIndex == Slot.NOWHERE) {
      takenIndexes.add(index);
      moves.put(slot, index);
    }
    if (!hasSet) {
      takenRanges.add(range);
      if (!range.isEmpty()) {
        writes.add(new Plan.WriteRange(index, range.base(), backends));
      }
      if (wantedIndex != Slot.NOWHERE && !owned(index).isEmpty()) {
        releases.add(new Plan.Release(index, owned(index), false));
      }
    }
    ServiceWord next = word.next(range.base(), range.count());
    publishes.add(new Plan.Publish(index, next, slot.row.settings()));
    sets.put(index, backends);
    return index;
  }

  /** The rows that belong to an index which is in use. */
  private BackendRange owned(int index) {
    return allocation.isDamaged(index)
        ? BackendRange.EMPTY
        : BackendRange.of(programmed.word(index));
  }

  private void planWildcards() {
    for (FrontendKey key : frontends.unsettled()) {
      FrontendValue wanted = frontends.wildcard(key);
      if (wanted == null) {
        continue;
      }
      FrontendValue observed = frontends.observed(key);
      if (observed == null && room == 0) {
        refusedWildcards.add(key);
      } else if (!wanted.equals(observed)) {
        room -= observed == null ? 1 : 0;
        upsert(key, wanted);
      }
    }
  }

  private void shortOf(Slot slot, Refusal.Limit limit, int needed) {
    int all =
        switch (limit) {
          case FRONTENDS -> capacity.frontends();
          case SERVICES -> capacity.services();
          case BACKENDS -> capacity.backends();
          case ENDPOINTS -> ServiceWord.MAX_COUNT;
        };
    shortages.put(slot, new Refusal(limit, needed, all));
  }

  /**
   * Rows that came off badly wait for what this plan frees, or for what is in quarantine. If
   * neither can help, or if they have waited before, they are refused.
   */
  private Set<Slot> judgeShortages(List<FrontendKey> unwanted) {
    boolean roomAhead =
        !(publishes.isEmpty() && upserts.isEmpty() && deletes.isEmpty())
            || (mayDelete && !unwanted.isEmpty())
            || allocation.mark().isPresent();
    Set<Slot> deferred = new LinkedHashSet<>();
    shortages.forEach(
        (slot, shortage) -> {
          if (roomAhead && slot.refusal == null) {
            deferred.add(slot);
          } else {
            refuse(slot, shortage);
          }
        });
    return deferred;
  }

  /**
   * A row that does not fit keeps what it has, if that is sound and its own; frontends that it was
   * to take over go, because whoever had them gave them up.
   */
  private void refuse(Slot slot, Refusal refusal) {
    refusals.put(slot, refusal);
    boolean keeps = slot.index >= 0 && !slot.inherited && !allocation.isDamaged(slot.index);
    for (FrontendKey key : slot.row.frontends()) {
      boolean stays = keeps && frontends.leadsTo(key, slot.index);
      if (mayDelete && !stays && frontends.observed(key) != null) {
        delete(key);
      }
    }
  }

  private void upsert(FrontendKey key, FrontendValue value) {
    upserts.put(key, value);
    drift(frontends.observed(key), -1);
    drift(value, 1);
  }

  private void delete(FrontendKey key) {
    if (deletes.add(key)) {
      drift(frontends.observed(key), -1);
    }
  }

  private void drift(@Nullable FrontendValue value, int by) {
    if (value instanceof FrontendValue.ToService(int index) && programmed.covers(index)) {
      drift.merge(index, by, Integer::sum);
    }
  }

  private void releaseIndexes() {
    drift.forEach(
        (index, by) -> {
          if (frontends.references(index) + by == 0) {
            releases.add(new Plan.Release(index, owned(index), true));
          }
        });
  }
}
