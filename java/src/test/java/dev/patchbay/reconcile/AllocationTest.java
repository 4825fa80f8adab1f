// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.reconcile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.patchbay.table.Capacity;
import dev.patchbay.table.FrontendValue;
import dev.patchbay.table.ServiceSettings;
import dev.patchbay.table.ServiceWord;
import dev.patchbay.testkit.FakeDataplaneStore;
import dev.patchbay.testkit.Rows;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import org.junit.jupiter.api.Test;

class AllocationTest {
  private final FakeDataplaneStore fake = new FakeDataplaneStore(new Capacity(16, 4, 32));

  private void service(int index, int base, int count, boolean reachable) {
    fake.putForeign(index, new ServiceWord(base, count, 1), ServiceSettings.NONE);
    if (reachable) {
      fake.putForeign(
          Rows.frontend("10.96.0.1:" + (index + 1)), new FrontendValue.ToService(index));
    }
  }

  private Allocation observe() {
    return Allocation.fromObserved(fake.load(), 0);
  }

  private static void reclaimAll(Allocation allocation) {
    OptionalLong mark = allocation.mark();
    assertThat(mark).isPresent();
    assertThat(allocation.reclaimed(mark.orElseThrow())).isTrue();
    assertThat(allocation.mark()).isEmpty();
  }

  @Test
  void mapsThatWereNeverUsedAreFreeAtOnce() {
    Allocation allocation = observe();
    assertThat(allocation.freeIndexes()).isEqualTo(4);
    assertThat(allocation.freeRows()).isEqualTo(32);
    assertThat(allocation.mark()).isEmpty();
    assertThat(allocation.takeRange(32)).contains(new BackendRange(0, 32));
    assertThat(allocation.takeRange(1)).isEmpty();
    assertThat(allocation.takeRange(0)).contains(BackendRange.EMPTY);
  }

  @Test
  void whatNothingLeadsToIsFreeOnceReadersHaveEnded() {
    service(0, 4, 4, true);
    service(1, 8, 8, false);
    service(2, 30, 2, true);
    Allocation allocation = observe();
    assertThat(allocation.problems()).isEmpty();
    assertThat(allocation.takeRange(1)).isEmpty();
    assertThat(allocation.takeIndex()).hasValue(3);
    reclaimAll(allocation);
    assertThat(allocation.freeRows()).isEqualTo(32 - 4 - 2);
    assertThat(allocation.takeRange(22)).contains(new BackendRange(8, 22));
    assertThat(allocation.takeRange(4)).contains(new BackendRange(0, 4));
    assertThat(allocation.takeIndex()).hasValue(1);
    assertThat(allocation.takeIndex()).isEmpty();
  }

  @Test
  void aMarkCoversWhatWasThereWhenItWasTaken() {
    Allocation allocation = observe();
    BackendRange first = allocation.takeRange(4).orElseThrow();
    BackendRange second = allocation.takeRange(4).orElseThrow();
    int index = allocation.takeIndex().orElseThrow();
    allocation.quarantine(first);
    long mark = allocation.mark().orElseThrow();
    allocation.quarantine(second);
    allocation.quarantine(index);
    assertThat(allocation.freeRows()).isEqualTo(24);
    assertThat(allocation.reclaimed(mark)).isTrue();
    assertThat(allocation.reclaimed(mark)).isFalse();
    assertThat(allocation.freeRows()).isEqualTo(28);
    assertThat(allocation.freeIndexes()).isEqualTo(3);
    reclaimAll(allocation);
    assertThat(allocation.freeRows()).isEqualTo(32);
    assertThat(allocation.freeIndexes()).isEqualTo(4);
  }

  @Test
  void aMarkOfAnEarlierAllocationFreesNothing() {
    service(0, 0, 4, true);
    Allocation earlier = observe();
    long mark = earlier.mark().orElseThrow();
    Allocation later = Allocation.fromObserved(fake.load(), earlier.lastMark());
    assertThat(later.reclaimed(mark)).isFalse();
    assertThat(later.freeRows()).isZero();
  }

  @Test
  void overlappingRangesAreNotHandedOutUntilAllWhoNameThemHaveMoved() {
    service(0, 0, 8, true);
    service(1, 4, 8, true);
    service(2, 6, 1, true);
    service(3, 16, 8, true);
    Allocation allocation = observe();
    assertThat(allocation.problems())
        .containsExactly(
            "service 0: range [0, 8) overlaps another",
            "service 1: range [4, 12) overlaps another",
            "service 2: range [6, 7) overlaps another");
    assertThat(allocation.isDamaged(0)).isTrue();
    assertThat(allocation.isDamaged(3)).isFalse();
    reclaimAll(allocation);
    assertThat(allocation.freeRows()).isEqualTo(32 - 12 - 8);
    allocation.repaired(0);
    allocation.repaired(3);
    allocation.repaired(1);
    assertThat(allocation.mark()).isEmpty();
    allocation.repaired(2);
    reclaimAll(allocation);
    assertThat(allocation.freeRows()).isEqualTo(32 - 8);
  }

  @Test
  void aRangeThatLeavesTheMapOwnsNothing() {
    service(0, 30, 3, true);
    service(1, 0, 4, true);
    Allocation allocation = observe();
    assertThat(allocation.problems())
        .containsExactly("service 0: range [30, 33) leaves the map of 32");
    assertThat(allocation.isDamaged(0)).isTrue();
    reclaimAll(allocation);
    assertThat(allocation.freeRows()).isEqualTo(28);
  }

  @Test
  void neighboursAndUnreachableOverlapsAreSound() {
    service(0, 0, 8, true);
    service(1, 8, 8, true);
    service(2, 4, 8, false);
    assertThat(observe().problems()).isEmpty();
  }

  @Test
  void rowsAreNotGivenBackTwice() {
    FreeRanges ranges = new FreeRanges();
    ranges.give(new BackendRange(4, 4));
    for (BackendRange again :
        List.of(new BackendRange(4, 1), new BackendRange(7, 9), new BackendRange(0, 5))) {
      assertThatIllegalStateException().isThrownBy(() -> ranges.give(again));
    }
    ranges.give(new BackendRange(0, 4));
    ranges.give(new BackendRange(8, 4));
    assertThat(ranges.take(12)).contains(new BackendRange(0, 12));
  }

  @Test
  void theTightestPieceIsTaken() {
    FreeRanges ranges = new FreeRanges();
    ranges.give(new BackendRange(0, 10));
    ranges.give(new BackendRange(20, 4));
    ranges.give(new BackendRange(30, 4));
    ranges.give(new BackendRange((1 << 24) - 6, 6));
    assertThat(ranges.take(3)).contains(new BackendRange(20, 3));
    assertThat(ranges.take(5)).contains(new BackendRange((1 << 24) - 6, 5));
    assertThat(ranges.take(11)).isEmpty();
  }

  /** Against a model of one bit for each row. */
  @Property(tries = 200, shrinking = ShrinkingMode.OFF)
  void freeRangesAreWhatIsNotTaken(@ForAll long seed) {
    Random random = new Random(seed);
    FreeRanges ranges = new FreeRanges();
    ranges.give(new BackendRange(0, 100));
    BitSet taken = new BitSet();
    List<BackendRange> held = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      if (random.nextBoolean() && !held.isEmpty()) {
        BackendRange range = held.remove(random.nextInt(held.size()));
        ranges.give(range);
        taken.clear(range.base(), range.end());
      } else {
        int count = 1 + random.nextInt(12);
        Optional<BackendRange> range = ranges.take(count);
        assertThat(range.isPresent()).isEqualTo(longestFree(taken) >= count);
        range.ifPresent(
            got -> {
              assertThat(got.count()).isEqualTo(count);
              assertThat(taken.get(got.base(), got.end()).isEmpty()).isTrue();
              taken.set(got.base(), got.end());
              held.add(got);
            });
      }
      assertThat(ranges.rows()).isEqualTo(100 - taken.cardinality());
    }
  }

  private static int longestFree(BitSet taken) {
    int longest = 0;
    for (int from = taken.nextClearBit(0); from < 100; ) {
      int next = taken.nextSetBit(from);
      int to = next < 0 ? 100 : next;
      longest = Math.max(longest, to - from);
      from = taken.nextClearBit(to);
    }
    return longest;
  }

  @Test
  void indexesAreTakenLowestFirst() {
    Allocation allocation = observe();
    assertThat(allocation.takeIndex()).hasValue(0);
    assertThat(allocation.takeIndex()).hasValue(1);
    allocation.giveBack(0);
    assertThat(allocation.takeIndex()).hasValue(0);
    assertThat(allocation.takeIndex()).hasValue(2);
    assertThat(allocation.takeIndex()).hasValue(3);
    assertThat(allocation.takeIndex()).isEqualTo(OptionalInt.empty());
    allocation.giveBack(1);
    assertThat(allocation.takeIndex()).hasValue(1);
  }

  @Test
  void frontendsThatLeaveTheMapClaimNothing() {
    fake.putForeign(Rows.frontend("10.96.0.1:80"), new FrontendValue.ToService(4));
    fake.putForeign(Rows.frontend("10.96.0.2:80"), new FrontendValue.Foreign(1, 2));
    assertThat(observe().freeIndexes()).isEqualTo(4);
    assertThat(Map.copyOf(fake.load().services())).isEmpty();
  }
}
