// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.reconcile;

import static dev.patchbay.testkit.Rows.backends;
import static dev.patchbay.testkit.Rows.desired;
import static dev.patchbay.testkit.Rows.frontend;
import static dev.patchbay.testkit.Rows.remove;
import static dev.patchbay.testkit.Rows.row;
import static dev.patchbay.testkit.Rows.upsert;
import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.inspect.Canonical;
import dev.patchbay.inspect.Invariants;
import dev.patchbay.model.IpAddress;
import dev.patchbay.reconcile.Reconciler.AuditStep;
import dev.patchbay.reconcile.Reconciler.AuditStep.Progress;
import dev.patchbay.table.Capacity;
import dev.patchbay.table.DesiredState;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.FrontendValue;
import dev.patchbay.table.ServiceRow;
import dev.patchbay.table.ServiceSettings;
import dev.patchbay.table.ServiceWord;
import dev.patchbay.testkit.FakeDataplaneStore;
import dev.patchbay.testkit.FaultyDataplaneStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;

class AuditTest {
  private static final ServiceRow A = row("a", "10.96.0.1:80", backends(0, 3));
  private static final ServiceRow B = row("b", "10.96.0.2:80", backends(5, 2));
  private static final FrontendKey ANY = FrontendKey.wildcard(IpAddress.of("10.96.0.1"));

  private final FakeDataplaneStore fake = new FakeDataplaneStore(new Capacity(4096, 2048, 16384));

  private Reconciler started(ServiceRow... rows) {
    Reconciler reconciler = Reconciler.adopt(fake, fake.load());
    reconciler.replaceAll(
        new DesiredState(desired(rows).services(), Map.of(ANY, FrontendValue.REFUSE)));
    assertThat(reconciler.apply().failures()).isEmpty();
    return reconciler;
  }

  private static int index(Reconciler reconciler, ServiceRow row) {
    return Objects.requireNonNull(reconciler.indexes().get(row.key()));
  }

  private ServiceWord word(int index) {
    return Objects.requireNonNull(fake.load().services().get(index)).word();
  }

  private List<Drift> pass(Reconciler reconciler) throws StoreException {
    for (int steps = 0; steps < 1000; steps++) {
      AuditStep step = reconciler.audit(fake);
      if (step.progress() != Progress.GOING_ON) {
        return step.found();
      }
      assertThat(step.found()).isEmpty();
    }
    throw new AssertionError("a pass does not end");
  }

  /** Finds these, mends them with the next apply, and then finds nothing. */
  private void findsAndMends(Reconciler reconciler, Drift.Kind... kinds) throws StoreException {
    List<Drift> found = pass(reconciler);
    assertThat(found).extracting(Drift::kind).containsExactlyInAnyOrder(kinds);
    assertThat(reconciler.hasWork()).isTrue();
    assertThat(reconciler.apply().failures()).isEmpty();
    assertThat(Canonical.of(fake.load()))
        .isEqualTo(
            Canonical.of(
                new DesiredState(desired(A, B).services(), Map.of(ANY, FrontendValue.REFUSE))));
    assertThat(Invariants.check(fake.load())).isEmpty();
    assertThat(pass(reconciler)).isEmpty();
    assertThat(reconciler.hasWork()).isFalse();
  }

  @Test
  void findsNothingWhereNothingDiffers() throws StoreException {
    Reconciler reconciler = started(A, B);
    assertThat(pass(reconciler)).isEmpty();
    assertThat(pass(reconciler)).isEmpty();
    assertThat(reconciler.hasWork()).isFalse();
  }

  @Test
  void aFrontendThatIsGone() throws StoreException {
    Reconciler reconciler = started(A, B);
    fake.deleteForeign(frontend("10.96.0.1:80"));
    List<Drift> found = pass(reconciler);
    assertThat(found)
        .containsExactly(
            new Drift(Drift.Kind.FRONTEND_MISSING, "frontend 10.96.0.1:80/tcp is missing"));
    assertThat(reconciler.apply().frontendsUpserted()).isEqualTo(1);
    assertThat(pass(reconciler)).isEmpty();
  }

  @Test
  void aWildcardThatIsGone() throws StoreException {
    Reconciler reconciler = started(A, B);
    fake.deleteForeign(ANY);
    findsAndMends(reconciler, Drift.Kind.FRONTEND_MISSING);
  }

  @Test
  void aFrontendThatLeadsElsewhere() throws StoreException {
    Reconciler reconciler = started(A, B);
    fake.putForeign(frontend("10.96.0.1:80"), new FrontendValue.ToService(1));
    findsAndMends(reconciler, Drift.Kind.FRONTEND_ALTERED);
  }

  @Test
  void aFrontendThatNobodyCanRead() throws StoreException {
    Reconciler reconciler = started(A, B);
    fake.putForeign(frontend("10.96.0.1:80"), new FrontendValue.Foreign(1, 0xffff));
    findsAndMends(reconciler, Drift.Kind.FRONTEND_ALTERED);
  }

  @Test
  void aFrontendThatNobodyWanted() throws StoreException {
    Reconciler reconciler = started(A, B);
    fake.putForeign(frontend("10.96.0.9:80"), new FrontendValue.ToService(1));
    findsAndMends(reconciler, Drift.Kind.FRONTEND_FOREIGN);
  }

  @Test
  void oneGoneAndOneTooMany() throws StoreException {
    Reconciler reconciler = started(A, B);
    fake.deleteForeign(frontend("10.96.0.1:80"));
    fake.putForeign(frontend("10.96.0.9:80"), new FrontendValue.ToService(1));
    findsAndMends(reconciler, Drift.Kind.FRONTEND_FOREIGN, Drift.Kind.FRONTEND_MISSING);
  }

  @Test
  void aWordThatWasAltered() throws StoreException {
    Reconciler reconciler = started(A, B);
    int index = index(reconciler, A);
    ServiceWord word = word(index);
    fake.putForeign(
        index, new ServiceWord(word.base(), 1, word.generation()), ServiceSettings.NONE);
    findsAndMends(reconciler, Drift.Kind.SERVICE_ALTERED);
  }

  @Test
  void aWordThatLeavesTheMap() throws StoreException {
    Reconciler reconciler = started(A, B);
    int index = index(reconciler, A);
    fake.putForeign(index, new ServiceWord(0xff_fff0, 100, 7), ServiceSettings.NONE);
    findsAndMends(reconciler, Drift.Kind.SERVICE_ALTERED);
  }

  @Test
  void settingsThatWereAltered() throws StoreException {
    Reconciler reconciler = started(A, B);
    int index = index(reconciler, B);
    fake.putForeign(index, word(index), new ServiceSettings(10, true));
    findsAndMends(reconciler, Drift.Kind.SERVICE_ALTERED);
  }

  @Test
  void backendsThatWereAltered() throws StoreException {
    Reconciler reconciler = started(A, B);
    int index = index(reconciler, A);
    fake.putForeign(word(index).base() + 1, backends(77, 1));
    findsAndMends(reconciler, Drift.Kind.BACKENDS_ALTERED);
  }

  @Test
  void allAtOnceIsCountedOneByOne() throws StoreException {
    Reconciler reconciler = started(A, B);
    fake.deleteForeign(ANY);
    fake.putForeign(frontend("10.96.0.9:80"), FrontendValue.REFUSE);
    fake.putForeign(word(index(reconciler, A)).base(), backends(77, 1));
    findsAndMends(
        reconciler,
        Drift.Kind.FRONTEND_MISSING,
        Drift.Kind.FRONTEND_FOREIGN,
        Drift.Kind.BACKENDS_ALTERED);
  }

  private int steps(Reconciler reconciler) throws StoreException {
    int steps = 1;
    while (reconciler.audit(fake).progress() == Progress.GOING_ON) {
      steps++;
    }
    return steps;
  }

  @Test
  void comparesEachRowOnlyIfSomebodyElseChangedAny() throws StoreException {
    Reconciler reconciler = started(A, B);
    FakeDataplaneStore _ = fake.withImprint();
    int all = steps(reconciler);
    assertThat(all).isGreaterThan(1);
    assertThat(steps(reconciler)).isEqualTo(1);
    reconciler.change(upsert(row("b", "10.96.0.2:80", backends(7, 1))));
    assertThat(reconciler.apply().failures()).isEmpty();
    assertThat(steps(reconciler)).as("its own changes").isEqualTo(1);
    reconciler.change(upsert(B));
    assertThat(reconciler.apply().failures()).isEmpty();
    fake.putForeign(word(index(reconciler, A)).base() + 1, backends(77, 1));
    findsAndMends(reconciler, Drift.Kind.BACKENDS_ALTERED);
    assertThat(steps(reconciler)).isEqualTo(1);
    fake.deleteForeign(frontend("10.96.0.1:80"));
    findsAndMends(reconciler, Drift.Kind.FRONTEND_MISSING);
  }

  @Test
  void comparesEachRowOnceInAWhile() throws StoreException {
    Reconciler reconciler = started(A, B);
    FakeDataplaneStore _ = fake.withImprint();
    int all = steps(reconciler);
    for (int round = 0; round < 3; round++) {
      for (int i = 0; i < Reconciler.SPARED_AT_MOST; i++) {
        assertThat(steps(reconciler)).isEqualTo(1);
      }
      assertThat(steps(reconciler)).isEqualTo(all);
    }
  }

  @Test
  void comparesNothingAfterAFailure() throws StoreException {
    FaultyDataplaneStore faulty = new FaultyDataplaneStore(fake, 1, 1);
    Reconciler reconciler = Reconciler.adopt(faulty, fake.load());
    reconciler.replaceAll(desired(A));
    assertThat(reconciler.apply().failures()).isNotEmpty();
    assertThat(reconciler.audit(fake)).isEqualTo(new AuditStep(Progress.PUT_OFF, List.of()));
  }

  /** Changes between the steps of a pass are no drift, and hide none. */
  @Test
  void changesUnderWayAreNoDrift() throws StoreException {
    List<ServiceRow> rows = new ArrayList<>();
    for (int i = 0; i < 1500; i++) {
      rows.add(numbered(i, i));
    }
    Reconciler reconciler = started(rows.toArray(ServiceRow[]::new));
    Random random = new Random(4);
    for (int passes = 0; passes < 20; passes++) {
      boolean going = true;
      boolean drifted = passes % 5 == 4;
      if (drifted) {
        fake.deleteForeign(frontend("10.98.0.1:80")); // which nothing below touches
      }
      int steps = 0;
      while (going) {
        AuditStep step = reconciler.audit(fake);
        going = step.progress() == Progress.GOING_ON;
        steps++;
        assertThat(step.found()).hasSize(going || !drifted ? 0 : 1);
        if (!going && drifted) {
          assertThat(step.found().getFirst().kind()).isEqualTo(Drift.Kind.FRONTEND_MISSING);
        }
        for (int i = 0; i < 50; i++) {
          int which = 300 + random.nextInt(1200);
          switch (random.nextInt(3)) {
            case 0 -> reconciler.change(upsert(numbered(which, random.nextInt(1000))));
            case 1 -> reconciler.change(remove(numbered(which, 0).key().service().name()));
            default -> {}
          }
        }
        assertThat(reconciler.apply().failures()).isEmpty();
        reconciler
            .quarantineMark()
            .ifPresent(
                mark -> {
                  fake.finishGrace(fake.beginGrace());
                  reconciler.reclaimed(mark);
                });
      }
      assertThat(steps).isGreaterThan(drifted ? 0 : 3);
    }
  }

  private static ServiceRow numbered(int i, int set) {
    return row("s" + i, "10.98." + i / 250 + "." + i % 250 + ":80", backends(set, 2));
  }
}
