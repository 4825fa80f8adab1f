// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.reconcile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.model.IpAddress;
import dev.patchbay.model.Protocol;
import dev.patchbay.model.ServicePortKey;
import dev.patchbay.table.Capacity;
import dev.patchbay.table.DesiredState;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.Scope;
import dev.patchbay.table.ServiceRow;
import dev.patchbay.table.ServiceSettings;
import dev.patchbay.testkit.FakeDataplaneStore;
import dev.patchbay.testkit.Rows;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What one changed endpoint costs does not depend on how many Services there are. */
class EndpointChangeCostTest {
  private static final int CHANGES = 4000;
  private static final int MEASURED = 1000;

  private record Measured(long medianNanos, long p99Nanos, long fullSyncMillis) {}

  @Test
  void oneEndpointChangeIsIndependentOfTheSizeOfTheCluster() {
    Measured small = measure(100);
    Measured large = measure(10_000);
    String figures = "100 Services: " + small + ", 10,000 Services: " + large;
    assertThat(large.medianNanos).as(figures).isLessThan(100_000);
    assertThat(large.medianNanos).as(figures).isLessThan(20 * small.medianNanos + 10_000);
  }

  @Test
  void aHundredThousandServicesFit() {
    Measured huge = measure(100_000);
    assertThat(huge.medianNanos).as("%s", huge).isLessThan(100_000);
    assertThat(huge.fullSyncMillis).as("%s", huge).isLessThan(20_000);
  }

  private static Measured measure(int services) {
    FakeDataplaneStore fake =
        new FakeDataplaneStore(new Capacity(2 * services, services, 11 * services + 10));
    Map<ServicePortKey, ServiceRow> rows = new HashMap<>();
    for (int i = 0; i < services; i++) {
      ServiceRow row = row(i, 10 * i);
      rows.put(row.key(), row);
    }
    long start = System.nanoTime();
    Reconciler reconciler = Reconciler.adopt(fake, fake.load());
    reconciler.replaceAll(new DesiredState(rows, Map.of()));
    assertThat(reconciler.apply().failures()).isEmpty();
    long fullSync = (System.nanoTime() - start) / 1_000_000;
    Random random = new Random(services);
    long[] nanos = new long[CHANGES];
    for (int i = 0; i < CHANGES; i++) {
      int which = random.nextInt(services);
      ServiceRow row = row(which, 10 * which + 1 + i % 2);
      long before = System.nanoTime();
      reconciler.change(Rows.upsert(row));
      ApplyReport report = reconciler.apply();
      nanos[i] = System.nanoTime() - before;
      assertThat(report.failures()).isEmpty();
      assertThat(report.frontendsUpserted() + report.frontendsDeleted()).isZero();
      reclaim(reconciler, fake);
    }
    long[] warm = Arrays.copyOfRange(nanos, CHANGES - MEASURED, CHANGES);
    Arrays.sort(warm);
    return new Measured(warm[MEASURED / 2], warm[MEASURED * 99 / 100], fullSync);
  }

  private static void reclaim(Reconciler reconciler, FakeDataplaneStore fake) {
    OptionalLong mark = reconciler.quarantineMark();
    if (mark.isPresent()) {
      fake.finishGrace(fake.beginGrace());
      reconciler.reclaimed(mark.getAsLong());
    }
  }

  private static ServiceRow row(int number, int firstBackend) {
    FrontendKey frontend =
        new FrontendKey(IpAddress.ofIpv4(0x0a60_0000 + number), 80, Protocol.TCP, Scope.INTERNAL);
    return Rows.row(
        "s" + number, List.of(frontend), Rows.backends(firstBackend, 10), ServiceSettings.NONE);
  }
}
