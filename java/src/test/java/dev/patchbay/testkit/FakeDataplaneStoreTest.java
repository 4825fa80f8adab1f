// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.patchbay.model.IpAddress;
import dev.patchbay.reconcile.DataplaneStore;
import dev.patchbay.reconcile.DataplaneStoreContract;
import dev.patchbay.reconcile.StoreException;
import dev.patchbay.table.Backend;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.FrontendValue;
import dev.patchbay.table.ServiceSettings;
import dev.patchbay.table.ServiceWord;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The fake keeps the contract, and its judge catches what the contract forbids. */
class FakeDataplaneStoreTest extends DataplaneStoreContract {
  private static final Backend A = new Backend(IpAddress.of("10.1.0.1"), 80);
  private static final Backend B = new Backend(IpAddress.of("10.1.0.2"), 80);
  private static final FrontendKey KEY = FrontendKey.wildcard(IpAddress.of("10.96.0.9"));

  private FakeDataplaneStore fake = new FakeDataplaneStore(CAPACITY);

  @Override
  protected DataplaneStore openEmpty() {
    fake = new FakeDataplaneStore(CAPACITY);
    return fake;
  }

  @Override
  protected void putRawFrontend(FrontendKey key, int service, int flags) {
    fake.putForeign(
        key,
        service >= 0 && flags == 0
            ? new FrontendValue.ToService(service)
            : new FrontendValue.Foreign(service, flags));
  }

  private FakeDataplaneStore withOneService() throws StoreException {
    FakeDataplaneStore store = new FakeDataplaneStore(CAPACITY);
    store.writeRange(4, List.of(A));
    store.publish(3, new ServiceWord(4, 1, 1), ServiceSettings.NONE);
    store.upsertFrontends(Map.of(KEY, new FrontendValue.ToService(3)));
    return store;
  }

  @Test
  void judgesAWriteToAPublishedRow() throws StoreException {
    FakeDataplaneStore store = withOneService();
    assertThatThrownBy(() -> store.writeRange(3, List.of(A, B)))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("row 4 is rewritten while a word names it");
  }

  @Test
  void judgesAWriteUnderAReader() throws StoreException {
    FakeDataplaneStore store = withOneService();
    long tooEarly = store.beginGrace();
    store.publish(3, new ServiceWord(5, 0, 2), ServiceSettings.NONE);
    store.finishGrace(tooEarly);
    assertThatThrownBy(() -> store.writeRange(4, List.of(B)))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("a reader may still be in it");
    store.awaitReaders();
    store.writeRange(4, List.of(B));
  }

  @Test
  void judgesAnIndexThatPassesOnTooEarly() throws StoreException {
    FakeDataplaneStore store = withOneService();
    store.deleteFrontends(List.of(KEY));
    ServiceWord next = new ServiceWord(0, 0, 2);
    assertThatThrownBy(() -> store.publish(3, next, ServiceSettings.NONE))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("index 3 passes on");
    assertThatThrownBy(() -> store.writeRange(4, List.of(B))).isInstanceOf(AssertionError.class);
    store.awaitReaders();
    store.publish(3, next, ServiceSettings.NONE);
  }

  @Test
  void judgesGenerations() throws StoreException {
    FakeDataplaneStore store = withOneService();
    assertThatThrownBy(() -> store.publish(3, new ServiceWord(5, 1, 1), ServiceSettings.NONE))
        .isInstanceOf(AssertionError.class);
    assertThatThrownBy(() -> store.publish(3, new ServiceWord(5, 1, 0), ServiceSettings.NONE))
        .isInstanceOf(AssertionError.class);
  }

  @Test
  void faultsHappenBeforeHalfWayAndAfter() throws StoreException {
    Set<Integer> sizes = new HashSet<>();
    for (int seed = 0; seed < 50; seed++) {
      FakeDataplaneStore inner = new FakeDataplaneStore(CAPACITY);
      FaultyDataplaneStore faulty = new FaultyDataplaneStore(inner, seed, 1.0);
      assertThatExceptionOfType(StoreException.class)
          .isThrownBy(
              () ->
                  faulty.upsertFrontends(
                      Map.of(
                          KEY,
                          FrontendValue.REFUSE,
                          FrontendKey.wildcard(IpAddress.of("10.96.0.10")),
                          FrontendValue.REFUSE)))
          .withMessageContaining("seed " + seed);
      sizes.add(inner.load().frontends().size());
    }
    assertThat(sizes).containsExactlyInAnyOrder(0, 1, 2);
  }
}
