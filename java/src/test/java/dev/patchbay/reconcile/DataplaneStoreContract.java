// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.reconcile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.patchbay.model.IpAddress;
import dev.patchbay.model.Protocol;
import dev.patchbay.table.Backend;
import dev.patchbay.table.Capacity;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.FrontendValue;
import dev.patchbay.table.ObservedState;
import dev.patchbay.table.ObservedState.ObservedService;
import dev.patchbay.table.Scope;
import dev.patchbay.table.ServiceSettings;
import dev.patchbay.table.ServiceWord;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What every {@link DataplaneStore} does. A subclass for the fake and one for the real maps keep
 * the fake honest.
 */
public abstract class DataplaneStoreContract {
  /** Small, so that a full map is near. */
  protected static final Capacity CAPACITY = new Capacity(8, 16, 64);

  private static final FrontendKey TCP = frontend("10.96.0.1", 80, Protocol.TCP);
  private static final FrontendKey UDP = frontend("10.96.0.1", 80, Protocol.UDP);
  private static final FrontendKey SIX = frontend("fd00:10:96::1", 443, Protocol.TCP);
  private static final FrontendKey ANY = FrontendKey.wildcard(IpAddress.of("10.96.0.1"));
  private static final Backend A = new Backend(IpAddress.of("10.1.0.1"), 1);
  private static final Backend B = new Backend(IpAddress.of("10.1.0.1"), 65535);
  private static final Backend C = new Backend(IpAddress.of("fd00::ff"), 8080);

  private DataplaneStore store;

  /** An empty store of {@link #CAPACITY}; the subclass releases it after the test. */
  protected abstract DataplaneStore openEmpty() throws Exception;

  /**
   * Puts an entry with these two raw fields into {@code frontends}, past the store of the last
   * {@link #openEmpty}, as another program might.
   */
  protected abstract void putRawFrontend(FrontendKey key, int service, int flags) throws Exception;

  @BeforeEach
  void open() throws Exception {
    store = openEmpty();
  }

  private static FrontendKey frontend(String address, int port, Protocol protocol) {
    return new FrontendKey(IpAddress.of(address), port, protocol, Scope.INTERNAL);
  }

  private static Map<FrontendKey, FrontendValue> numbered(int from, int to) {
    Map<FrontendKey, FrontendValue> entries = new LinkedHashMap<>();
    for (int i = from; i < to; i++) {
      entries.put(frontend("10.96.1." + i, 80, Protocol.TCP), new FrontendValue.ToService(i));
    }
    return entries;
  }

  private List<Backend> read(int base, int count) throws StoreException {
    return store.load().backends().read(base, count);
  }

  @Test
  void startsEmpty() throws StoreException {
    ObservedState observed = store.load();
    assertThat(store.capacity()).isEqualTo(CAPACITY);
    assertThat(observed.capacity()).isEqualTo(CAPACITY);
    assertThat(observed.frontends()).isEmpty();
    assertThat(observed.services()).isEmpty();
    assertThat(read(0, CAPACITY.backends())).hasSize(64).allMatch(row -> row.port() == 0);
  }

  @Test
  void readsBackFrontends() throws StoreException {
    FrontendKey outside =
        new FrontendKey(IpAddress.of("192.0.2.1"), 65535, Protocol.UDP, Scope.EXTERNAL);
    Map<FrontendKey, FrontendValue> entries =
        Map.of(
            TCP, new FrontendValue.ToService(0),
            UDP, new FrontendValue.ToService(15),
            SIX, new FrontendValue.ToService(7),
            outside, new FrontendValue.ToService(7),
            ANY, FrontendValue.REFUSE);
    store.upsertFrontends(entries);
    assertThat(store.load().frontends()).isEqualTo(entries);
  }

  @Test
  void replacesFrontends() throws StoreException {
    store.upsertFrontends(Map.of(TCP, new FrontendValue.ToService(1)));
    store.upsertFrontends(
        Map.of(TCP, new FrontendValue.ToService(2), UDP, new FrontendValue.ToService(3)));
    assertThat(store.load().frontends())
        .isEqualTo(
            Map.of(TCP, new FrontendValue.ToService(2), UDP, new FrontendValue.ToService(3)));
  }

  @Test
  void deletesFrontendsAndForgivesMissingOnes() throws StoreException {
    store.upsertFrontends(
        Map.of(TCP, new FrontendValue.ToService(1), UDP, new FrontendValue.ToService(1)));
    store.deleteFrontends(List.of(SIX, TCP, ANY));
    store.deleteFrontends(List.of(TCP));
    assertThat(store.load().frontends()).containsOnlyKeys(UDP);
  }

  @Test
  void doesNothingWhenGivenNothing() throws StoreException {
    store.upsertFrontends(Map.of());
    store.deleteFrontends(List.of());
    store.writeRange(64, List.of());
    assertThat(store.load().frontends()).isEmpty();
  }

  @Test
  void saysFullAndKeepsWhatPrecedes() throws StoreException {
    store.upsertFrontends(numbered(0, 6));
    assertThatExceptionOfType(StoreException.class)
        .isThrownBy(() -> store.upsertFrontends(numbered(6, 12)))
        .satisfies(e -> assertThat(e.reason()).isEqualTo(StoreException.Reason.FULL));
    assertThat(store.load().frontends()).isEqualTo(numbered(0, 8));
  }

  @Test
  void replacesAndDeletesInAFullMap() throws StoreException {
    store.upsertFrontends(numbered(0, 8));
    Map<FrontendKey, FrontendValue> changed = new LinkedHashMap<>(numbered(0, 8));
    changed.replaceAll((key, value) -> new FrontendValue.ToService(9));
    store.upsertFrontends(changed);
    assertThat(store.load().frontends()).isEqualTo(changed);
    store.deleteFrontends(numbered(3, 5).keySet());
    store.upsertFrontends(numbered(20, 22));
    assertThat(store.load().frontends()).hasSize(8).containsAllEntriesOf(numbered(20, 22));
  }

  @Test
  void repeatingAFailedUpsertAfterMakingRoomCompletesIt() throws StoreException {
    assertThatExceptionOfType(StoreException.class)
        .isThrownBy(() -> store.upsertFrontends(numbered(0, 9)));
    store.deleteFrontends(numbered(0, 1).keySet());
    store.upsertFrontends(numbered(1, 9));
    assertThat(store.load().frontends()).isEqualTo(numbered(1, 9));
  }

  @Test
  void readsBackRangesWhereTheyWereWritten() throws StoreException {
    store.writeRange(0, List.of(A));
    store.writeRange(61, List.of(A, B, C));
    assertThat(read(0, 1)).containsExactly(A);
    assertThat(read(61, 3)).containsExactly(A, B, C);
    assertThat(read(62, 1)).containsExactly(B);
    assertThat(read(1, 60)).allMatch(row -> row.port() == 0);
    store.writeRange(62, List.of(C));
    assertThat(read(61, 3)).containsExactly(A, C, C);
    assertThat(read(64, 0)).isEmpty();
  }

  @Test
  void readsBackWordsAndSettings() throws StoreException {
    ServiceWord last = new ServiceWord(63, 1, 0xff_ffff);
    ServiceSettings settings = new ServiceSettings(86400, false);
    store.publish(15, new ServiceWord(0, 0, 0x7f_ffff), settings);
    store.publish(15, last, settings);
    store.publish(0, new ServiceWord(0, 64, 1), ServiceSettings.NONE);
    store.publish(1, new ServiceWord(0, 0, 1), new ServiceSettings(1, true));
    assertThat(store.load().services())
        .isEqualTo(
            Map.of(
                15, new ObservedService(last, settings),
                0, new ObservedService(new ServiceWord(0, 64, 1), ServiceSettings.NONE),
                1, new ObservedService(new ServiceWord(0, 0, 1), new ServiceSettings(1, true))));
  }

  @Test
  void replacesWordsAndSettings() throws StoreException {
    store.publish(3, new ServiceWord(0, 2, 1), new ServiceSettings(10800, false));
    store.publish(3, new ServiceWord(8, 3, 2), ServiceSettings.NONE);
    store.publish(3, new ServiceWord(8, 3, 2), ServiceSettings.NONE);
    assertThat(store.load().services())
        .isEqualTo(Map.of(3, new ObservedService(new ServiceWord(8, 3, 2), ServiceSettings.NONE)));
  }

  @Test
  void aLoadedStateKeepsItsFrontendsAndWordsButReadsLiveRows() throws StoreException {
    store.writeRange(4, List.of(A));
    store.publish(3, new ServiceWord(4, 1, 1), ServiceSettings.NONE);
    store.upsertFrontends(Map.of(TCP, new FrontendValue.ToService(3)));
    ObservedState before = store.load();
    store.writeRange(5, List.of(B));
    store.publish(3, new ServiceWord(5, 1, 2), ServiceSettings.NONE);
    store.deleteFrontends(List.of(TCP));
    assertThat(before.frontends()).containsOnlyKeys(TCP);
    assertThat(before.services().get(3))
        .isEqualTo(new ObservedService(new ServiceWord(4, 1, 1), ServiceSettings.NONE));
    assertThat(before.backends().read(4, 2)).containsExactly(A, B);
  }

  @Test
  void refusesWhatLeavesTheMap() throws StoreException {
    ServiceWord inside = new ServiceWord(0, 1, 1);
    assertOutOfBounds(() -> store.writeRange(-1, List.of(A)));
    assertOutOfBounds(() -> store.writeRange(64, List.of(A)));
    assertOutOfBounds(() -> store.writeRange(63, List.of(A, B)));
    assertOutOfBounds(() -> store.publish(-1, inside, ServiceSettings.NONE));
    assertOutOfBounds(() -> store.publish(16, inside, ServiceSettings.NONE));
    assertOutOfBounds(() -> store.publish(0, new ServiceWord(63, 2, 1), ServiceSettings.NONE));
    assertOutOfBounds(() -> read(-1, 1));
    assertOutOfBounds(() -> read(63, 2));
    assertThat(store.load().services()).isEmpty();
    assertThat(read(0, 64)).allMatch(row -> row.port() == 0);
  }

  private static void assertOutOfBounds(
      org.assertj.core.api.ThrowableAssert.ThrowingCallable callable) {
    assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(callable);
  }

  @Test
  void toleratesForeignFrontends() throws Exception {
    putRawFrontend(TCP, 7, 0x80);
    putRawFrontend(UDP, 0x7fff_ffff, 0);
    store.upsertFrontends(Map.of(SIX, new FrontendValue.ToService(1)));
    assertThat(store.load().frontends())
        .isEqualTo(
            Map.of(
                TCP, new FrontendValue.Foreign(7, 0x80),
                UDP, new FrontendValue.ToService(0x7fff_ffff),
                SIX, new FrontendValue.ToService(1)));
    store.upsertFrontends(Map.of(TCP, new FrontendValue.ToService(2)));
    store.deleteFrontends(List.of(UDP));
    assertThat(store.load().frontends())
        .isEqualTo(
            Map.of(SIX, new FrontendValue.ToService(1), TCP, new FrontendValue.ToService(2)));
  }

  @Test
  void aFrontendWithAServiceNumberBeyondIntIsForeign() throws Exception {
    putRawFrontend(TCP, -1, 0);
    assertThat(store.load().frontends()).isEqualTo(Map.of(TCP, new FrontendValue.Foreign(-1, 0)));
  }

  @Test
  void aRangeMayBeWrittenAgainAfterReadersHaveEnded() throws StoreException {
    store.writeRange(4, List.of(A, B));
    store.publish(3, new ServiceWord(4, 2, 1), ServiceSettings.NONE);
    store.upsertFrontends(Map.of(TCP, new FrontendValue.ToService(3)));
    store.writeRange(8, List.of(B));
    store.publish(3, new ServiceWord(8, 1, 2), ServiceSettings.NONE);
    store.awaitReaders();
    store.writeRange(4, List.of(C));
    assertThat(read(4, 1)).containsExactly(C);
    assertThat(read(8, 1)).containsExactly(B);
  }

  @Test
  void readersAreAwaitedFromAnotherThreadWhileTheOwnerWrites() throws Exception {
    CompletableFuture<Boolean> awaited =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                store.awaitReaders();
                return true;
              } catch (StoreException e) {
                throw new IllegalStateException(e);
              }
            });
    List<Backend> written = new ArrayList<>();
    for (int i = 0; i < 32; i++) {
      Backend backend = new Backend(A.address(), i + 1);
      store.writeRange(i, List.of(backend));
      store.publish(i % 16, new ServiceWord(i, 1, i / 16 + 1), ServiceSettings.NONE);
      written.add(backend);
    }
    assertThat(awaited.get(10, TimeUnit.SECONDS)).isTrue();
    assertThat(read(0, 32)).isEqualTo(written);
    assertThat(store.load().services()).hasSize(16);
  }

  private RowReader rows() {
    return (RowReader) store;
  }

  @Test
  void entriesOfAllSizesOfStepsAreReadOnce() throws StoreException {
    store.upsertFrontends(numbered(0, 8));
    for (int step : new int[] {1, 3, 8, 100}) {
      Map<FrontendKey, FrontendValue> read = new LinkedHashMap<>();
      RowReader.FrontendScan scan = rows().frontends();
      boolean more = true;
      while (more) {
        more = scan.next(step, (key, value) -> assertThat(read.put(key, value)).isNull());
      }
      assertThat(read).isEqualTo(numbered(0, 8));
      assertThat(scan.foreignKeys()).isZero();
    }
  }

  @Test
  void rowsAreComparedInPlace() throws StoreException {
    ServiceWord word = new ServiceWord(4, 2, 1);
    ServiceSettings settings = new ServiceSettings(60, true);
    store.writeRange(4, List.of(A, C));
    store.publish(3, word, settings);
    assertThat(rows().holds(3, word, settings)).isTrue();
    assertThat(rows().holds(3, new ServiceWord(4, 2, 2), settings)).isFalse();
    assertThat(rows().holds(3, word, ServiceSettings.NONE)).isFalse();
    assertThat(rows().holds(3, word, new ServiceSettings(61, true))).isFalse();
    assertThat(rows().holds(4, List.of(A, C))).isTrue();
    assertThat(rows().holds(4, List.of(A))).isTrue();
    assertThat(rows().holds(4, List.of(C, A))).isFalse();
    assertThat(rows().holds(4, List.of(A, B))).isFalse();
    assertThat(rows().holds(5, List.of(A))).isFalse();
    assertThatExceptionOfType(IndexOutOfBoundsException.class)
        .isThrownBy(() -> rows().holds(63, List.of(A, C)));
  }
}
