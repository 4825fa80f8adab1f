// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.reconcile;

import dev.patchbay.table.FrontendValue;
import dev.patchbay.table.ObservedState;
import dev.patchbay.table.ObservedState.ObservedService;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * Which indexes of {@code services} and which rows of {@code backends} are in use, free, or in
 * quarantine because a program that still runs may read them. An index is in use as long as a
 * frontend names it; rows are in use as long as the word at such an index names them.
 *
 * <p>Mutable; only the owner thread may use it. Taking and giving is O(log n) at most.
 */
public final class Allocation {
  private static final int NO_INDEX = -1;

  /** What waits for readers: an index, or rows, or both. */
  private record Waiting(long mark, int index, BackendRange range) {}

  private final FreeRanges ranges = new FreeRanges();
  private final BitSet freeIndexes = new BitSet();
  private final ArrayDeque<Waiting> quarantine = new ArrayDeque<>();
  private final BitSet damaged = new BitSet();
  private final List<BackendRange> suspects = new ArrayList<>();
  private final List<String> problems = new ArrayList<>();

  /** No index below this one is free. */
  private int lowestFree;

  private long lastMark;

  private Allocation(long lastMark) {
    this.lastMark = lastMark;
  }

  /**
   * Rebuilds the allocation from the maps alone. Whatever no frontend leads to is free, but waits
   * in quarantine first, because programs that run now may have been led to it a moment ago. If no
   * word was ever published, it is free at once.
   *
   * <p>A reachable word whose range leaves the map or overlaps another reachable one is <em>damaged
   * </em>: it owns no rows, and no row it names is handed out until every damaged index has been
   * {@link #repaired}.
   *
   * @param observed the maps
   * @param lastMark marks given from now on are greater, so that a reclaim which an earlier
   *     allocation asked for frees nothing here
   */
  public static Allocation fromObserved(ObservedState observed, long lastMark) {
    Allocation allocation = new Allocation(lastMark);
    BitSet reachable = reachable(observed);
    allocation.placeIndexes(observed, reachable);
    allocation.placeRanges(observed, reachable);
    return allocation;
  }

  private static BitSet reachable(ObservedState observed) {
    BitSet reachable = new BitSet(observed.capacity().services());
    for (FrontendValue value : observed.frontends().values()) {
      if (value instanceof FrontendValue.ToService(int index)
          && index < observed.capacity().services()) {
        reachable.set(index);
      }
    }
    return reachable;
  }

  private void placeIndexes(ObservedState observed, BitSet reachable) {
    int capacity = observed.capacity().services();
    for (int i = reachable.nextClearBit(0); i < capacity; i = reachable.nextClearBit(i + 1)) {
      if (observed.services().containsKey(i)) {
        quarantine.add(new Waiting(++lastMark, i, BackendRange.EMPTY));
      } else {
        freeIndexes.set(i);
      }
    }
  }

  private record Claim(int index, BackendRange range) {}

  private void placeRanges(ObservedState observed, BitSet reachable) {
    int capacity = observed.capacity().backends();
    List<Claim> claims = new ArrayList<>();
    for (Map.Entry<Integer, ObservedService> entry : observed.services().entrySet()) {
      int index = entry.getKey();
      BackendRange range = BackendRange.of(entry.getValue().word());
      if (!reachable.get(index) || range.isEmpty()) {
        continue;
      }
      if (range.end() > capacity) {
        damaged.set(index);
        problems.add("service " + index + ": range " + range + " leaves the map of " + capacity);
      } else {
        claims.add(new Claim(index, range));
      }
    }
    claims.sort(Comparator.comparingInt(claim -> claim.range.base()));
    boolean neverUsed = observed.services().isEmpty();
    int end = 0;
    for (int i = 0; i < claims.size(); ) {
      int from = claims.get(i).range.base();
      freeLater(end, from, neverUsed);
      int first = i;
      end = claims.get(i).range.end();
      for (i++; i < claims.size() && claims.get(i).range.base() < end; i++) {
        end = Math.max(end, claims.get(i).range.end());
      }
      if (i - first > 1) {
        suspect(claims.subList(first, i), new BackendRange(from, end - from));
      }
    }
    freeLater(end, capacity, neverUsed);
  }

  private void freeLater(int from, int to, boolean atOnce) {
    BackendRange range = new BackendRange(from, to - from);
    if (atOnce) {
      ranges.give(range);
    } else {
      quarantine(range);
    }
  }

  private void suspect(List<Claim> overlapping, BackendRange union) {
    suspects.add(union);
    for (Claim claim : overlapping) {
      damaged.set(claim.index);
      problems.add("service " + claim.index + ": range " + claim.range + " overlaps another");
    }
  }

  /** What was wrong with the maps, a line for each damaged index. */
  public List<String> problems() {
    return List.copyOf(problems);
  }

  /** Whether the word at this index is unusable. */
  public boolean isDamaged(int index) {
    return damaged.get(index);
  }

  /** The index has a sound word now, or nothing leads to it any more. */
  public void repaired(int index) {
    if (damaged.get(index)) {
      damaged.clear(index);
      if (damaged.isEmpty()) {
        suspects.forEach(this::quarantine);
        suspects.clear();
      }
    }
  }

  /** Takes the lowest free index. */
  public OptionalInt takeIndex() {
    int index = freeIndexes.nextSetBit(lowestFree);
    if (index < 0) {
      lowestFree = Integer.MAX_VALUE;
      return OptionalInt.empty();
    }
    freeIndexes.clear(index);
    lowestFree = index + 1;
    return OptionalInt.of(index);
  }

  /** Takes rows in one piece; {@code count} is 0 or more. */
  public Optional<BackendRange> takeRange(int count) {
    return count == 0 ? Optional.of(BackendRange.EMPTY) : ranges.take(count);
  }

  /** Gives back an index that no frontend has named since it was taken. */
  public void giveBack(int index) {
    freeIndexes.set(index);
    lowestFree = Math.min(lowestFree, index);
  }

  /** Gives back rows that no word has named since they were taken. */
  public void giveBack(BackendRange range) {
    ranges.give(range);
  }

  /** Frees an index once the programs that may hold it have ended. */
  public void quarantine(int index) {
    quarantine.add(new Waiting(++lastMark, index, BackendRange.EMPTY));
  }

  /** Frees rows once the programs that may read them have ended. */
  public void quarantine(BackendRange range) {
    if (!range.isEmpty()) {
      quarantine.add(new Waiting(++lastMark, NO_INDEX, range));
    }
  }

  /** A mark that covers all that is in quarantine now; empty if there is nothing. */
  public OptionalLong mark() {
    return quarantine.isEmpty() ? OptionalLong.empty() : OptionalLong.of(lastMark);
  }

  /** The mark that was given last, whether or not anything still waits for it. */
  long lastMark() {
    return lastMark;
  }

  /**
   * Frees what a mark covers: all programs that ran when it was taken have ended.
   *
   * @return whether that freed anything
   */
  public boolean reclaimed(long mark) {
    boolean any = false;
    for (Waiting head = quarantine.peek();
        head != null && head.mark <= mark;
        head = quarantine.peek()) {
      quarantine.remove();
      any = true;
      if (head.index != NO_INDEX) {
        giveBack(head.index);
      }
      ranges.give(head.range);
    }
    return any;
  }

  /** How many indexes could be taken now. */
  public int freeIndexes() {
    return freeIndexes.cardinality();
  }

  /** How many rows could be taken now, in however many pieces. */
  public int freeRows() {
    return ranges.rows();
  }
}
