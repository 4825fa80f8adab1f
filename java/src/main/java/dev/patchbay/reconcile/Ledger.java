// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.reconcile;

import dev.patchbay.model.ServicePortKey;
import dev.patchbay.table.Capacity;
import dev.patchbay.table.DesiredState;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.FrontendValue;
import dev.patchbay.table.ObservedState;
import dev.patchbay.table.ServiceRow;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What is wanted, what the maps are believed to hold, and which rows may differ. Knows no store.
 * Owner thread.
 */
final class Ledger {
  private final Map<ServicePortKey, Slot> slots = new HashMap<>();
  private final Map<ServicePortKey, Slot> refused = new TreeMap<>();
  private final Set<FrontendKey> refusedWildcards = new LinkedHashSet<>();

  private Frontends frontends;
  private Programmed programmed;
  private Allocation allocation;
  private Capacity capacity;

  /** Which row holds each index. */
  private @Nullable Slot[] holders;

  /** Indexes whose last holder is gone, as long as frontends name them. */
  private BitSet abandoned = new BitSet();

  /** Rows that may differ from what is programmed. */
  private Set<Slot> dirty = new LinkedHashSet<>();

  /** Answer of {@link #indexes} until it changes. */
  private @Nullable Map<ServicePortKey, Integer> indexes;

  /** All that is wanted is known. */
  private boolean complete;

  /** Something became free since what was refused was last tried. */
  private boolean freed;

  /** Rows lost what open sockets may talk to. */
  private boolean departures;

  Ledger(ObservedState observed) {
    capacity = observed.capacity();
    frontends = new Frontends(observed.frontends(), capacity.services());
    programmed = new Programmed(observed);
    allocation = Allocation.fromObserved(observed, 0);
    holders = new Slot[capacity.services()];
  }

  /**
   * Begins anew from the maps, with the same rows wanted.
   *
   * @param room how many entries {@code frontends} really takes
   */
  void reread(ObservedState observed, int room) {
    capacity = new Capacity(room, observed.capacity().services(), observed.capacity().backends());
    Map<FrontendKey, FrontendValue> wildcards = frontends.wildcards();
    frontends = new Frontends(observed.frontends(), capacity.services());
    programmed = new Programmed(observed);
    allocation = Allocation.fromObserved(observed, allocation.lastMark());
    holders = new Slot[capacity.services()];
    abandoned = new BitSet();
    dirty = new LinkedHashSet<>(slots.values());
    for (Slot slot : slots.values()) {
      slot.index = Slot.NOWHERE;
      slot.row.frontends().forEach(key -> frontends.want(key, slot));
    }
    wildcards.forEach((key, value) -> frontends.wantWildcard(key, value));
    refusedWildcards.clear();
    indexes = null;
    freed = true;
  }

  /** Replaces all that is wanted. */
  void replaceAll(DesiredState desired) {
    for (ServicePortKey key : List.copyOf(slots.keySet())) {
      if (!desired.services().containsKey(key)) {
        remove(key);
      }
    }
    desired.services().values().forEach(this::upsert);
    for (FrontendKey key : frontends.wildcards().keySet()) {
      if (!desired.wildcards().containsKey(key)) {
        dropWildcard(key);
      }
    }
    desired.wildcards().forEach(this::upsertWildcard);
  }

  /** All that is wanted has been told. */
  void complete() {
    if (!complete) {
      complete = true;
      freed = true;
    }
  }

  void upsert(ServiceRow row) {
    Slot slot = slots.get(row.key());
    if (slot == null) {
      slot = new Slot(row);
      slots.put(row.key(), slot);
    } else if (slot.row.equals(row)) {
      return;
    } else {
      Set<FrontendKey> kept = new HashSet<>(row.frontends());
      for (FrontendKey key : slot.row.frontends()) {
        if (!kept.contains(key)) {
          frontends.unwant(key, slot);
        }
      }
      departures |= Departures.between(slot.row, row);
      slot.row = row;
      accept(slot);
    }
    for (FrontendKey key : row.frontends()) {
      frontends.want(key, slot);
    }
    dirty.add(slot);
  }

  void remove(ServicePortKey key) {
    Slot slot = slots.remove(key);
    if (slot == null) {
      return;
    }
    departures |= Departures.endOf(slot.row);
    for (FrontendKey frontend : slot.row.frontends()) {
      frontends.unwant(frontend, slot);
    }
    if (slot.index != Slot.NOWHERE) {
      abandoned.set(slot.index);
    }
    leave(slot);
    accept(slot);
    dirty.remove(slot);
  }

  void upsertWildcard(FrontendKey key, FrontendValue value) {
    frontends.wantWildcard(key, value);
  }

  void dropWildcard(FrontendKey key) {
    departures |= frontends.wildcard(key) instanceof FrontendValue.NodeAddress;
    refusedWildcards.remove(key);
    frontends.wantWildcard(key, null);
  }

  boolean takeDepartures() {
    boolean taken = departures;
    departures = false;
    return taken;
  }

  private void accept(Slot slot) {
    if (slot.refusal != null) {
      slot.refusal = null;
      refused.remove(slot.key);
    }
  }

  /** The row no longer holds its index; another may adopt it as long as frontends name it. */
  private void leave(Slot slot) {
    if (slot.index != Slot.NOWHERE) {
      holders[slot.index] = null;
      slot.index = Slot.NOWHERE;
      indexes = null;
    }
  }

  private void hold(Slot slot, int index) {
    leave(slot);
    slot.index = index;
    holders[index] = slot;
    indexes = null;
  }

  /** Plans for all rows that may differ. */
  Prepared prepare() {
    if (freed) {
      freed = false;
      dirty.addAll(refused.values());
      refusedWildcards.forEach(frontends::lookAgain);
      refusedWildcards.clear();
    }
    adoptIndexes();
    List<Slot> rows = new ArrayList<>(dirty);
    rows.sort(
        Comparator.comparing((Slot slot) -> slot.index == Slot.NOWHERE)
            .thenComparing(slot -> slot.key));
    return new Planner(frontends, programmed, allocation, capacity, complete).plan(rows);
  }

  /** Gives back what a plan took that will not be carried out. */
  void discard(Prepared prepared) {
    prepared.takenIndexes().forEach(allocation::giveBack);
    prepared.takenRanges().forEach(allocation::giveBack);
  }

  private record Vote(Slot slot, int index, int count) {}

  /** Rows without an index get the one that most of their frontends name, if nobody holds it. */
  private void adoptIndexes() {
    List<Vote> votes = new ArrayList<>();
    for (Slot slot : dirty) {
      if (slot.index == Slot.NOWHERE) {
        Map<Integer, Integer> counts = new HashMap<>();
        for (FrontendKey key : slot.row.frontends()) {
          if (frontends.observed(key) instanceof FrontendValue.ToService(int index)
              && index < holders.length
              && holders[index] == null) {
            counts.merge(index, 1, Integer::sum);
          }
        }
        counts.forEach((index, count) -> votes.add(new Vote(slot, index, count)));
      }
    }
    votes.sort(
        Comparator.comparingInt(Vote::count)
            .reversed()
            .thenComparing(vote -> vote.slot.key)
            .thenComparingInt(Vote::index));
    for (Vote vote : votes) {
      if (vote.slot.index == Slot.NOWHERE && holders[vote.index] == null) {
        hold(vote.slot, vote.index);
        vote.slot.inherited = abandoned.get(vote.index);
      }
    }
  }

  /** All of a plan has been carried out. */
  void commit(Prepared done) {
    done.moves().forEach(this::hold);
    for (Plan.Operation operation : done.plan().operations()) {
      commit(operation, done);
    }
    for (Slot slot : dirty) {
      accept(slot);
      if (!done.refusals().containsKey(slot) && !done.deferred().contains(slot)) {
        own(slot);
      }
    }
    dirty = done.deferred();
    done.refusals()
        .forEach(
            (slot, refusal) -> {
              slot.refusal = refusal;
              refused.put(slot.key, slot);
            });
    frontends.settled(done.unsettled());
    refusedWildcards.addAll(done.refusedWildcards());
  }

  /** What is behind the row's index is what the row wants. */
  private void own(Slot slot) {
    slot.inherited = false;
    if (slot.index != Slot.NOWHERE) {
      abandoned.clear(slot.index);
    }
  }

  private void commit(Plan.Operation operation, Prepared done) {
    switch (operation) {
      case Plan.WriteRange _ -> {}
      case Plan.Publish(int index, var word, var settings) -> {
        programmed.published(index, word, settings, done.sets().getOrDefault(index, List.of()));
        allocation.repaired(index);
      }
      case Plan.UpsertFrontends(var entries) -> entries.forEach(frontends::observe);
      case Plan.DeleteFrontends(var keys) -> {
        keys.forEach(frontends::observeNothing);
        freed = true;
      }
      case Plan.Release(int index, var range, boolean withIndex) -> {
        allocation.quarantine(range);
        if (withIndex) {
          Slot holder = holders[index];
          if (holder != null) {
            leave(holder);
          }
          abandoned.clear(index);
          programmed.forget(index);
          allocation.repaired(index);
          allocation.quarantine(index);
        }
      }
    }
  }

  /** Begins to compare the maps with what they are believed to hold. */
  Audit audit(RowReader reader) {
    return new Audit(reader, frontends, programmed, allocation, holders);
  }

  boolean hasWork() {
    return !dirty.isEmpty()
        || (freed && !(refused.isEmpty() && refusedWildcards.isEmpty()))
        || frontends.unsettled().stream().anyMatch(key -> complete || !frontends.isUnwanted(key));
  }

  /** Rows to look at, without those that are refused. */
  Set<ServicePortKey> pending() {
    Set<ServicePortKey> keys = new HashSet<>();
    for (Slot slot : dirty) {
      if (slot.refusal == null) {
        keys.add(slot.key);
      }
    }
    return keys;
  }

  Map<ServicePortKey, Refusal> refused() {
    Map<ServicePortKey, Refusal> reasons = new TreeMap<>();
    refused.forEach(
        (key, slot) -> {
          if (slot.refusal != null) {
            reasons.put(key, slot.refusal);
          }
        });
    return Collections.unmodifiableMap(reasons);
  }

  Set<FrontendKey> refusedWildcards() {
    return Set.copyOf(refusedWildcards);
  }

  Map<ServicePortKey, Integer> indexes() {
    if (indexes == null) {
      Map<ServicePortKey, Integer> current = HashMap.newHashMap(slots.size());
      for (Slot slot : slots.values()) {
        if (slot.index != Slot.NOWHERE) {
          current.put(slot.key, slot.index);
        }
      }
      indexes = Collections.unmodifiableMap(current);
    }
    return indexes;
  }

  List<String> adoptionProblems() {
    return allocation.problems();
  }

  OptionalLong quarantineMark() {
    return allocation.mark();
  }

  void reclaimed(long mark) {
    freed |= allocation.reclaimed(mark);
  }
}
