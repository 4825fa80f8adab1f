// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.reconcile;

import static dev.patchbay.testkit.Rows.backends;
import static dev.patchbay.testkit.Rows.desired;
import static dev.patchbay.testkit.Rows.frontend;
import static dev.patchbay.testkit.Rows.key;
import static dev.patchbay.testkit.Rows.remove;
import static dev.patchbay.testkit.Rows.row;
import static dev.patchbay.testkit.Rows.upsert;
import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.inspect.Canonical;
import dev.patchbay.inspect.Invariants;
import dev.patchbay.model.IpAddress;
import dev.patchbay.table.Capacity;
import dev.patchbay.table.DesiredChange;
import dev.patchbay.table.DesiredState;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.FrontendValue;
import dev.patchbay.table.ObservedState;
import dev.patchbay.table.ServiceRow;
import dev.patchbay.table.ServiceSettings;
import dev.patchbay.table.ServiceWord;
import dev.patchbay.testkit.FakeDataplaneStore;
import dev.patchbay.testkit.FaultyDataplaneStore;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ReconcilerTest {
  private static final FrontendKey ANY = FrontendKey.wildcard(IpAddress.of("10.96.0.1"));

  private FakeDataplaneStore fake = new FakeDataplaneStore(new Capacity(8, 4, 32));

  @AfterEach
  void soundness() {
    assertThat(Invariants.check(fake.load())).isEmpty();
  }

  private Reconciler adopt() {
    return Reconciler.adopt(fake, fake.load());
  }

  private Reconciler started(ServiceRow... rows) {
    Reconciler reconciler = adopt();
    reconciler.replaceAll(desired(rows));
    assertThat(reconciler.apply().failures()).isEmpty();
    return reconciler;
  }

  private void assertMeans(ServiceRow... rows) {
    assertThat(Canonical.of(desired(rows)).difference(Canonical.of(fake.load()))).isEmpty();
  }

  /** Lets all readers end, as the reclaimer does. */
  private void reclaim(Reconciler reconciler) {
    long mark = reconciler.quarantineMark().orElseThrow();
    fake.finishGrace(fake.beginGrace());
    reconciler.reclaimed(mark);
  }

  @Test
  void programsAndReports() {
    Reconciler reconciler = adopt();
    reconciler.replaceAll(
        new DesiredState(
            desired(row("a", "10.96.0.1:80", backends(0, 3)), row("b", "10.96.0.2:80", List.of()))
                .services(),
            Map.of(ANY, FrontendValue.REFUSE)));
    assertThat(reconciler.hasWork()).isTrue();
    assertThat(reconciler.pending()).containsExactlyInAnyOrder(key("a"), key("b"));
    assertThat(reconciler.plan())
        .hasToString(
            """
            write [0, 3) for service 0
            publish service 0: [0, 3) generation 1
            publish service 1: [0, 0) generation 1
            upsert 10.96.0.1:80/tcp -> service 0, 10.96.0.2:80/tcp -> service 1, \
            10.96.0.1:* -> refuse""");
    ApplyReport report = reconciler.apply();
    assertThat(report.succeeded()).isTrue();
    assertThat(report.rangesWritten()).isEqualTo(1);
    assertThat(report.backendsWritten()).isEqualTo(3);
    assertThat(report.wordsPublished()).isEqualTo(2);
    assertThat(report.frontendsUpserted()).isEqualTo(3);
    assertThat(report.rounds()).isEqualTo(1);
    assertThat(report.nanos()).isPositive();
    assertThat(reconciler.indexes()).isEqualTo(Map.of(key("a"), 0, key("b"), 1));
    assertThat(reconciler.hasWork()).isFalse();
    assertThat(reconciler.plan().isEmpty()).isTrue();
    assertThat(reconciler.apply().changedAnything()).isFalse();
  }

  @Test
  void anEndpointChangeIsOneRangeAndOneWord() {
    Reconciler reconciler =
        started(row("a", "10.96.0.1:80", backends(0, 3)), row("b", "10.96.0.2:80", backends(5, 2)));
    reconciler.change(upsert(row("a", "10.96.0.1:80", backends(1, 3))));
    assertThat(reconciler.plan())
        .hasToString(
            """
            write [5, 8) for service 0
            publish service 0: [5, 8) generation 2
            release [0, 3) of service 0""");
    reconciler.apply();
    assertMeans(row("a", "10.96.0.1:80", backends(1, 3)), row("b", "10.96.0.2:80", backends(5, 2)));
    reclaim(reconciler);
    reconciler.change(upsert(row("a", "10.96.0.1:80", backends(2, 3))));
    assertThat(reconciler.plan().toString()).startsWith("write [0, 3) for service 0");
  }

  @Test
  void settingsAloneKeepTheRange() {
    Reconciler reconciler = started(row("a", "10.96.0.1:80", backends(0, 3)));
    ServiceRow sticky =
        row(
            "a",
            List.of(frontend("10.96.0.1:80")),
            backends(0, 3),
            new ServiceSettings(10800, true));
    reconciler.change(upsert(sticky));
    assertThat(reconciler.plan())
        .hasToString("publish service 0: [0, 3) generation 2 affinity 10800 s policy local");
    reconciler.apply();
    assertMeans(sticky);
    assertThat(reconciler.quarantineMark()).isEmpty();
  }

  @Test
  void equalRowsAreNoWork() {
    Reconciler reconciler = started(row("a", "10.96.0.1:80", backends(0, 3)));
    reconciler.change(upsert(row("a", "10.96.0.1:80", backends(0, 3))));
    assertThat(reconciler.hasWork()).isFalse();
    reconciler.change(upsert(row("a", "10.96.0.1:80", backends(1, 3))));
    reconciler.change(upsert(row("a", "10.96.0.1:80", backends(0, 3))));
    assertThat(reconciler.plan().isEmpty()).isTrue();
  }

  @Test
  void nothingIsDeletedBeforeAllIsKnown() {
    started(row("a", "10.96.0.1:80", backends(0, 3)), row("b", "10.96.0.2:80", backends(5, 2)));
    Reconciler restarted = adopt();
    restarted.change(upsert(row("c", "10.96.0.3:80", backends(8, 1))));
    restarted.apply();
    restarted.change(remove("c"));
    assertThat(restarted.hasWork()).isFalse();
    assertThat(restarted.apply().frontendsDeleted()).isZero();
    assertMeans(
        row("a", "10.96.0.1:80", backends(0, 3)),
        row("b", "10.96.0.2:80", backends(5, 2)),
        row("c", "10.96.0.3:80", backends(8, 1)));
    restarted.change(upsert(row("b", "10.96.0.2:80", backends(5, 2))));
    restarted.complete();
    ApplyReport report = restarted.apply();
    assertThat(report.frontendsDeleted()).isEqualTo(2);
    assertThat(report.wordsPublished()).isZero();
    assertMeans(row("b", "10.96.0.2:80", backends(5, 2)));
  }

  @Test
  void aRestartAdoptsTheIndexThatMostFrontendsName() {
    FrontendKey first = frontend("10.96.0.1:80");
    FrontendKey second = frontend("10.96.0.2:80");
    FrontendKey third = frontend("10.96.0.3:80");
    ServiceRow big = row("big", List.of(first, second), backends(0, 2), ServiceSettings.NONE);
    started(row("first", "10.96.0.9:80", backends(9, 1)), big);
    int index = 0;
    for (var entry : fake.load().frontends().entrySet()) {
      if (entry.getKey().equals(first)) {
        index = ((FrontendValue.ToService) entry.getValue()).index();
      }
    }
    ServiceRow bigger =
        row("renamed", List.of(first, second, third), backends(0, 2), ServiceSettings.NONE);
    Reconciler restarted = adopt();
    restarted.replaceAll(desired(bigger));
    assertThat(restarted.plan().toString())
        .startsWith("upsert 10.96.0.3:80/tcp -> service " + index + "\n" + "delete 10.96.0.9");
    restarted.apply();
    assertThat(restarted.indexes()).isEqualTo(Map.of(key("renamed"), index));
    assertMeans(bigger);
  }

  @Test
  void aFrontendThatMovesAwayNeverSeesTheSetOfTheOneItLeaves() {
    FrontendKey stays = frontend("10.96.0.1:80");
    FrontendKey moves = frontend("10.96.0.2:80");
    Reconciler reconciler =
        started(row("a", List.of(stays, moves), backends(0, 2), ServiceSettings.NONE));
    reconciler.change(
        upsert(
            row("a", List.of(stays), backends(4, 2), ServiceSettings.NONE),
            row("b", List.of(moves), backends(8, 2), ServiceSettings.NONE)));
    assertThat(reconciler.plan())
        .hasToString(
            """
            write [2, 4) for service 1
            write [4, 6) for service 2
            publish service 1: [2, 4) generation 1
            publish service 2: [4, 6) generation 1
            upsert 10.96.0.1:80/tcp -> service 1, 10.96.0.2:80/tcp -> service 2
            release [0, 2) and service 0""");
    reconciler.apply();
  }

  @Test
  void generationsGoOnWhenAnIndexPassesOn() {
    Reconciler reconciler = started(row("a", "10.96.0.1:80", backends(0, 3)));
    reconciler.change(remove("a"));
    reconciler.apply();
    reclaim(reconciler);
    reconciler.change(upsert(row("b", "10.96.0.2:80", backends(0, 3))));
    reconciler.apply();
    assertThat(fake.load().services())
        .containsEntry(
            0, new ObservedState.ObservedService(new ServiceWord(0, 3, 2), ServiceSettings.NONE));
  }

  @Test
  void anIndexIsNotPassedOnWhileReadersMayHoldIt() {
    Reconciler reconciler = started(row("a", "10.96.0.1:80", backends(0, 3)));
    reconciler.change(remove("a"));
    reconciler.apply();
    reconciler.change(upsert(row("b", "10.96.0.2:80", backends(0, 3))));
    reconciler.apply();
    assertThat(reconciler.indexes()).isEqualTo(Map.of(key("b"), 1));
  }

  @Test
  void whatDoesNotFitIsRefusedByNameAndTakenInLater() {
    Reconciler reconciler = started(row("a", "10.96.0.1:80", backends(0, 30)));
    reconciler.change(
        upsert(row("b", "10.96.0.2:80", backends(0, 3)), row("c", "10.96.0.3:80", backends(0, 2))));
    reconciler.apply();
    assertThat(reconciler.refused())
        .isEqualTo(Map.of(key("b"), new Refusal(Refusal.Limit.BACKENDS, 3, 32)));
    assertThat(reconciler.refused().get(key("b")))
        .hasToString("backends is full: needs 3 in one piece of 32");
    assertThat(reconciler.hasWork()).isFalse();
    assertThat(reconciler.apply().changedAnything()).isFalse();
    assertMeans(
        row("a", "10.96.0.1:80", backends(0, 30)), row("c", "10.96.0.3:80", backends(0, 2)));
    reconciler.change(remove("a"));
    reconciler.apply();
    assertThat(reconciler.refused()).containsOnlyKeys(key("b"));
    reclaim(reconciler);
    assertThat(reconciler.hasWork()).isTrue();
    reconciler.apply();
    assertThat(reconciler.refused()).isEmpty();
    assertMeans(row("b", "10.96.0.2:80", backends(0, 3)), row("c", "10.96.0.3:80", backends(0, 2)));
  }

  @Test
  void theOwnerWaitsForReadersOnlyIfNothingIsFree() {
    Reconciler reconciler = started(row("a", "10.96.0.1:80", backends(0, 16)));
    reconciler.change(upsert(row("a", "10.96.0.1:80", backends(1, 16))));
    assertThat(reconciler.apply().readersAwaited()).isZero();
    reconciler.change(upsert(row("a", "10.96.0.1:80", backends(2, 16))));
    ApplyReport report = reconciler.apply();
    assertThat(report.readersAwaited()).isEqualTo(1);
    assertThat(report.rounds()).isEqualTo(2);
    assertMeans(row("a", "10.96.0.1:80", backends(2, 16)));
  }

  @Test
  void everyLimitIsNamed() {
    fake = new FakeDataplaneStore(new Capacity(3, 2, 1 << 17));
    Reconciler reconciler =
        started(
            row("a", "10.96.0.1:80", backends(0, 1)),
            row("b", "10.96.0.2:80", backends(0, 65536)),
            row("c", "10.96.0.3:80", backends(0, 65535)),
            row("d", "10.96.0.4:80", backends(0, 1)));
    assertThat(reconciler.refused())
        .isEqualTo(
            Map.of(
                key("b"), new Refusal(Refusal.Limit.ENDPOINTS, 65536, 65535),
                key("d"), new Refusal(Refusal.Limit.SERVICES, 1, 2)));
    FrontendKey room = frontend("10.96.0.7:80");
    List<FrontendKey> many = List.of(frontend("10.96.0.1:80"), room, frontend("10.96.0.8:80"));
    reconciler.change(upsert(row("a", many, backends(0, 1), ServiceSettings.NONE)));
    reconciler.apply();
    assertThat(reconciler.refused())
        .containsEntry(key("a"), new Refusal(Refusal.Limit.FRONTENDS, 2, 3));
    reconciler.change(
        new DesiredChange(
            List.of(),
            Set.of(),
            Map.of(ANY, FrontendValue.REFUSE, wildcard(9), FrontendValue.REFUSE),
            Set.of()));
    reconciler.apply();
    assertThat(reconciler.refusedWildcards()).hasSize(1);
    reconciler.change(remove("c"));
    reconciler.apply();
    assertThat(reconciler.refusedWildcards()).isEmpty();
  }

  private static FrontendKey wildcard(int last) {
    return FrontendKey.wildcard(IpAddress.of("10.96.0." + last));
  }

  @Test
  void aServiceThatOutgrowsTheMapKeepsWhatItHas() {
    Reconciler reconciler = started(row("a", "10.96.0.1:80", backends(0, 3)));
    reconciler.change(upsert(row("a", "10.96.0.1:80", backends(0, 33))));
    reconciler.apply();
    assertThat(reconciler.refused()).containsOnlyKeys(key("a"));
    assertMeans(row("a", "10.96.0.1:80", backends(0, 3)));
    reconciler.change(upsert(row("a", "10.96.0.1:80", backends(0, 4))));
    reconciler.apply();
    assertThat(reconciler.refused()).isEmpty();
    assertMeans(row("a", "10.96.0.1:80", backends(0, 4)));
  }

  @Test
  void aFrontendWhoseNewOwnerDoesNotFitIsGivenUp() {
    Reconciler reconciler = started(row("a", "10.96.0.1:80", backends(0, 3)));
    reconciler.change(
        new DesiredChange(
            List.of(row("b", "10.96.0.1:80", backends(0, 33))),
            Set.of(key("a")),
            Map.of(),
            Set.of()));
    reconciler.apply();
    assertThat(fake.load().frontends()).isEmpty();
    assertThat(reconciler.refused()).containsOnlyKeys(key("b"));
  }

  @Test
  void damagedMapsAreRepaired() {
    started(
        row("a", "10.96.0.1:80", backends(0, 4)),
        row("b", "10.96.0.2:80", backends(0, 4)),
        row("c", "10.96.0.3:80", backends(0, 4)));
    fake.putForeign(1, new ServiceWord(2, 4, 7), ServiceSettings.NONE);
    fake.putForeign(2, new ServiceWord(30, 4, 7), ServiceSettings.NONE);
    fake.putForeign(frontend("10.96.0.1:81"), new FrontendValue.Foreign(1, 8));
    fake.putForeign(frontend("10.96.0.1:82"), new FrontendValue.ToService(99));
    fake.putForeign(ANY, new FrontendValue.ToService(0));
    assertThat(Invariants.check(fake.load())).hasSize(6);
    Reconciler restarted = adopt();
    assertThat(restarted.adoptionProblems()).hasSize(3);
    ServiceRow c = row("c", "10.96.0.3:80", backends(0, 4));
    ServiceRow moved = row("d", "10.96.0.1:82", backends(0, 4));
    restarted.replaceAll(
        new DesiredState(
            desired(
                    row("a", "10.96.0.1:80", backends(0, 4)),
                    row("b", "10.96.0.2:80", backends(0, 4)),
                    c,
                    moved)
                .services(),
            Map.of(ANY, FrontendValue.REFUSE)));
    assertThat(restarted.apply().failures()).isEmpty();
    restarted.change(new DesiredChange(List.of(), Set.of(), Map.of(), Set.of(ANY)));
    restarted.apply();
    assertMeans(
        row("a", "10.96.0.1:80", backends(0, 4)),
        row("b", "10.96.0.2:80", backends(0, 4)),
        c,
        moved);
    reclaim(restarted);
    assertThat(adopt().adoptionProblems()).isEmpty();
  }

  @Test
  void damageThatFillsTheMapIsCleared() {
    started(row("a", "10.96.0.1:80", backends(0, 4)), row("b", "10.96.0.2:80", backends(0, 4)));
    fake.putForeign(0, new ServiceWord(0, 32, 7), ServiceSettings.NONE);
    fake.putForeign(1, new ServiceWord(0, 32, 7), ServiceSettings.NONE);
    Reconciler restarted = adopt();
    restarted.replaceAll(
        desired(
            row("a", "10.96.0.1:80", backends(0, 4)), row("b", "10.96.0.2:80", backends(0, 4))));
    restarted.apply();
    reclaim(restarted);
    restarted.apply();
    assertThat(restarted.refused()).isEmpty();
    assertMeans(row("a", "10.96.0.1:80", backends(0, 4)), row("b", "10.96.0.2:80", backends(0, 4)));
  }

  @Test
  void aFailureIsReportedStaysPendingAndTheMapsAreReadAgain() {
    FaultyDataplaneStore broken = new FaultyDataplaneStore(fake, 1, 1.0);
    Reconciler reconciler = Reconciler.adopt(broken, fake.load());
    reconciler.replaceAll(desired(row("a", "10.96.0.1:80", backends(0, 4))));
    ApplyReport report = reconciler.apply();
    assertThat(report.failures()).hasSize(1);
    assertThat(report.failures().getFirst().operation()).isEqualTo("write [0, 4) for service 0");
    assertThat(report.succeeded()).isFalse();
    assertThat(reconciler.hasWork()).isTrue();
    assertThat(reconciler.pending()).containsExactly(key("a"));
    assertThat(reconciler.plan().isEmpty()).isTrue();
    assertThat(reconciler.apply().failures().getFirst().operation()).isEqualTo("read the maps");
    broken.setShare(0);
    ApplyReport healed = reconciler.apply();
    assertThat(healed.reread()).isTrue();
    assertThat(healed.failures()).isEmpty();
    assertMeans(row("a", "10.96.0.1:80", backends(0, 4)));
  }

  @Test
  void aServiceKeepsItsOldAddressUntilTheNewOneIsThere() {
    started(row("a", "10.96.0.1:80", backends(0, 4)));
    for (int seed = 0; seed < 20; seed++) {
      FakeDataplaneStore copy = fake.copy();
      FaultyDataplaneStore broken = new FaultyDataplaneStore(copy, seed, 1.0);
      Reconciler reconciler = Reconciler.adopt(broken, copy.load());
      reconciler.replaceAll(desired(row("a", "10.96.0.2:80", backends(0, 4))));
      assertThat(reconciler.apply().failures()).hasSize(1);
      assertThat(copy.load().frontends()).containsKey(frontend("10.96.0.1:80"));
    }
  }

  @Test
  void plansThatAreNotCarriedOutTakeNothing() {
    Reconciler reconciler = started(row("a", "10.96.0.1:80", backends(0, 4)));
    for (int i = 1; i < 20; i++) {
      reconciler.change(
          upsert(
              row("a", "10.96.0.1:80", backends(i, 4)), row("b", "10.96.0.2:80", backends(i, 9))));
      assertThat(reconciler.plan().isEmpty()).isFalse();
    }
    ApplyReport report = reconciler.apply();
    assertThat(report.readersAwaited()).isZero();
    assertThat(reconciler.refused()).isEmpty();
    assertThat(reconciler.indexes()).isEqualTo(Map.of(key("a"), 0, key("b"), 1));
    assertMeans(
        row("a", "10.96.0.1:80", backends(19, 4)), row("b", "10.96.0.2:80", backends(19, 9)));
  }

  /** A map whose room somebody else's keys take, keys that this version cannot even read. */
  @Test
  void aMapThatIsFullerThanItLooksRefusesByName() {
    FakeDataplaneStore small = new FakeDataplaneStore(new Capacity(2, 4, 32));
    DataplaneStore store = new RoomierThanItIs(small);
    fake = small;
    Reconciler reconciler = Reconciler.adopt(store, reload(store));
    reconciler.replaceAll(
        desired(
            row("a", "10.96.0.1:80", backends(0, 1)),
            row("b", "10.96.0.2:80", backends(0, 1)),
            row("c", "10.96.0.3:80", backends(0, 1))));
    assertThat(reconciler.apply().failures()).hasSize(1);
    assertThat(reconciler.apply().failures()).isEmpty();
    assertThat(reconciler.refused()).hasSize(1);
    assertThat(reconciler.hasWork()).isFalse();
    assertThat(small.load().frontends()).hasSize(2);
  }

  private static ObservedState reload(DataplaneStore store) {
    try {
      return store.load();
    } catch (StoreException e) {
      throw new AssertionError(e);
    }
  }
}
