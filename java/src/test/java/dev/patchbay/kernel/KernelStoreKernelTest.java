// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.abi.BackendCodec;
import dev.patchbay.abi.FrontendKeyCodec;
import dev.patchbay.abi.ServiceCodec;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.Protocol;
import dev.patchbay.reconcile.DataplaneStore;
import dev.patchbay.reconcile.DataplaneStoreContract;
import dev.patchbay.reconcile.RowReader;
import dev.patchbay.table.Backend;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.FrontendValue;
import dev.patchbay.table.ObservedState.ObservedService;
import dev.patchbay.table.Scope;
import dev.patchbay.table.ServiceSettings;
import dev.patchbay.table.ServiceWord;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The store over the maps of this kernel. */
final class KernelStoreKernelTest extends DataplaneStoreContract {
  private static final FrontendKey KEY =
      new FrontendKey(IpAddress.of("10.96.0.1"), 80, Protocol.TCP, Scope.INTERNAL);

  private final Scratch scratch = new Scratch();

  KernelStoreKernelTest() throws Exception {}

  @AfterEach
  void remove() throws Exception {
    scratch.close();
  }

  @Override
  protected DataplaneStore openEmpty() throws Exception {
    return scratch.closing(Dataplane.open(scratch.options(CAPACITY))).store();
  }

  private KernelStore reopened() throws Exception {
    MapSet maps = scratch.closing(MapSet.open(scratch.pins()));
    return scratch.closing(
        KernelStore.over(
            maps.get(PatchbayMap.FRONTENDS),
            maps.get(PatchbayMap.SERVICES),
            maps.get(PatchbayMap.BACKENDS)));
  }

  private BpfMap pinned(PatchbayMap map) throws KernelException {
    return BpfMap.pinned(map, scratch.pins().map(map));
  }

  @Override
  protected void putRawFrontend(FrontendKey key, int service, int flags) throws Exception {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocate(FrontendKeyCodec.SIZE, Long.BYTES);
      FrontendKeyCodec.encode(key, bytes, 0);
      putRaw(bytes, service, flags);
    }
  }

  private void putRaw(MemorySegment key, int service, int flags) throws Exception {
    try (Arena arena = Arena.ofConfined();
        BpfMap map = pinned(PatchbayMap.FRONTENDS)) {
      MemorySegment value = arena.allocateFrom(ValueLayout.JAVA_INT, service, flags);
      assertThat(map.update(key, value, 1).count()).isEqualTo(1);
    }
  }

  private byte[] lookup(PatchbayMap map, int index, int size) throws Exception {
    try (Arena arena = Arena.ofConfined();
        BpfMap opened = pinned(map)) {
      MemorySegment value = arena.allocate(size, Long.BYTES);
      opened.lookup(arena.allocateFrom(ValueLayout.JAVA_INT, index), value);
      return value.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  @Test
  void whatIsStoredInMemoryIsWhatTheKernelHas() throws Exception {
    KernelStore store = reopened();
    Backend backend = new Backend(IpAddress.of("10.1.0.7"), 8081);
    store.writeRange(63, List.of(backend));
    store.publish(15, new ServiceWord(63, 1, 0x123456), new ServiceSettings(10800, true));
    byte[] row = new byte[BackendCodec.SIZE];
    BackendCodec.encode(backend, MemorySegment.ofArray(row), 0);
    assertThat(lookup(PatchbayMap.BACKENDS, 63, BackendCodec.SIZE)).isEqualTo(row);
    assertThat(lookup(PatchbayMap.BACKENDS, 62, BackendCodec.SIZE)).containsOnly(0);
    MemorySegment service = MemorySegment.ofArray(new long[4]);
    ServiceCodec.publish(
        service, 0, new ServiceWord(63, 1, 0x123456), new ServiceSettings(10800, true));
    assertThat(lookup(PatchbayMap.SERVICES, 15, ServiceCodec.SIZE))
        .isEqualTo(service.toArray(ValueLayout.JAVA_BYTE));
  }

  private static RowReader.Imprint.Look look(KernelStore store) throws Exception {
    RowReader.Imprint.Look look = store.imprint().look();
    while (look == RowReader.Imprint.Look.MORE) {
      look = store.imprint().look();
    }
    return look;
  }

  private static void assertUnknown(KernelStore store) throws Exception {
    assertThat(look(store)).isEqualTo(RowReader.Imprint.Look.UNKNOWN);
    assertThat(look(store)).as("not confirmed").isEqualTo(RowReader.Imprint.Look.UNKNOWN);
    store.imprint().confirm();
    assertThat(look(store)).isEqualTo(RowReader.Imprint.Look.SAME);
  }

  /** The same maps by another way, as somebody else has them. */
  @Test
  void imprintShowsWhatOthersChange() throws Exception {
    KernelStore store = reopened();
    KernelStore other = reopened();
    store.writeRange(0, List.of(backend(1), backend(2)));
    store.publish(0, new ServiceWord(0, 2, 1), ServiceSettings.NONE);
    store.upsertFrontends(Map.of(KEY, new FrontendValue.ToService(0)));
    assertUnknown(store);
    other.upsertFrontends(Map.of(KEY, FrontendValue.REFUSE));
    assertUnknown(store);
    other.deleteFrontends(List.of(KEY));
    assertUnknown(store);
    other.upsertFrontends(Map.of(KEY, new FrontendValue.ToService(0)));
    assertUnknown(store);
    other.upsertFrontends(Map.of(KEY, new FrontendValue.ToService(0)));
    assertThat(look(store)).as("the same again").isEqualTo(RowReader.Imprint.Look.SAME);
    other.writeRange(1, List.of(backend(3)));
    assertUnknown(store);
    other.publish(0, new ServiceWord(0, 1, 1), ServiceSettings.NONE);
    assertUnknown(store);
    other.publish(0, new ServiceWord(0, 1, 1), new ServiceSettings(10, false));
    assertUnknown(store);
  }

  @Test
  void imprintFollowsWhatTheStoreWrites() throws Exception {
    KernelStore store = reopened();
    KernelStore other = reopened();
    FrontendKey second =
        new FrontendKey(IpAddress.of("10.96.0.2"), 80, Protocol.UDP, Scope.EXTERNAL);
    store.writeRange(0, List.of(backend(1)));
    assertUnknown(store);
    store.writeRange(3, List.of(backend(1), backend(2)));
    store.publish(2, new ServiceWord(3, 2, 1), new ServiceSettings(10, true));
    store.upsertFrontends(
        Map.of(KEY, new FrontendValue.ToService(2), second, FrontendValue.REFUSE));
    assertThat(look(store)).isEqualTo(RowReader.Imprint.Look.SAME);
    store.upsertFrontends(Map.of(second, new FrontendValue.ToService(2)));
    store.writeRange(60, List.of(backend(1), backend(2)));
    store.publish(15, new ServiceWord(60, 2, 1), new ServiceSettings(10, true));
    store.publish(2, new ServiceWord(3, 1, 2), new ServiceSettings(20, true));
    assertThat(look(store)).isEqualTo(RowReader.Imprint.Look.SAME);
    store.deleteFrontends(List.of(KEY, second));
    assertThat(look(store)).isEqualTo(RowReader.Imprint.Look.SAME);
    assertThat(store.load().frontends()).isEmpty();
    assertThat(look(store)).isEqualTo(RowReader.Imprint.Look.SAME);
    // In the place that the store writes next; its own write does not hide it.
    other.writeRange(60, List.of(backend(9)));
    store.writeRange(61, List.of(backend(8)));
    assertUnknown(store);
    other.publish(15, new ServiceWord(60, 1, 2), ServiceSettings.NONE);
    store.publish(15, new ServiceWord(60, 1, 3), ServiceSettings.NONE);
    assertUnknown(store);
  }

  @Test
  void imprintOfRowsThatAreWrittenMeanwhileIsTakenAnew() throws Exception {
    KernelStore store = reopened();
    assertUnknown(store);
    int looks = 0;
    RowReader.Imprint.Look look = store.imprint().look();
    while (look == RowReader.Imprint.Look.MORE) {
      store.writeRange(looks++ % 60, List.of(backend(looks)));
      look = store.imprint().look();
    }
    assertThat(look)
        .as("nothing is said about rows that do not stand still")
        .isEqualTo(RowReader.Imprint.Look.UNKNOWN);
    store.imprint().confirm();
    assertThat(look(store)).isEqualTo(RowReader.Imprint.Look.UNKNOWN);
    assertThat(store.imprint().look()).isEqualTo(RowReader.Imprint.Look.MORE);
    store.writeRange(1, List.of(backend(99)));
    assertThat(look(store)).isEqualTo(RowReader.Imprint.Look.UNKNOWN);
    store.imprint().confirm();
    assertThat(look(store)).isEqualTo(RowReader.Imprint.Look.SAME);
  }

  private static Backend backend(int number) {
    return new Backend(IpAddress.of("10.1.0." + number), 8080);
  }

  @Test
  void foreignKeysAreLeftOutAndCanBeDeleted() throws Exception {
    KernelStore store = reopened();
    store.upsertFrontends(Map.of(KEY, new FrontendValue.ToService(1)));
    for (byte protocol : new byte[] {50, 51, 52}) {
      byte[] bytes = new byte[FrontendKeyCodec.SIZE];
      bytes[17] = 80;
      bytes[18] = protocol;
      try (Arena arena = Arena.ofConfined()) {
        putRaw(arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes), 1, 0);
      }
    }
    assertThat(entries()).isEqualTo(4);
    assertThat(store.load().frontends()).containsOnlyKeys(KEY);
    assertThat(store.deleteForeignFrontends()).isEqualTo(3);
    assertThat(store.deleteForeignFrontends()).isZero();
    assertThat(entries()).isEqualTo(1);
    assertThat(store.load().frontends()).containsOnlyKeys(KEY);
  }

  private long entries() throws Exception {
    try (BpfMap map = pinned(PatchbayMap.FRONTENDS)) {
      return map.count();
    }
  }

  @Test
  void foreignSettingsAreDamageThatKeepsItsGeneration() throws Exception {
    KernelStore store = reopened();
    store.publish(2, new ServiceWord(5, 3, 77), ServiceSettings.NONE);
    try (BpfMap map = pinned(PatchbayMap.SERVICES);
        MappedArray memory = MappedArray.map(map, true)) {
      memory.memory().set(ValueLayout.JAVA_INT, 2 * ServiceCodec.SIZE + 16, 0x40);
    }
    assertThat(store.load().services().get(2))
        .isEqualTo(
            new ObservedService(
                new ServiceWord(0xff_ffff, ServiceWord.MAX_COUNT, 77), ServiceSettings.NONE));
  }

  @Test
  void deletesAcrossBatchesWithHoles() throws Exception {
    KernelStore store = reopened();
    Map<FrontendKey, FrontendValue> entries = new LinkedHashMap<>();
    for (int i = 0; i < 8; i++) {
      entries.put(
          new FrontendKey(IpAddress.ofIpv4(i + 1), 80, Protocol.TCP, Scope.INTERNAL),
          new FrontendValue.ToService(i));
    }
    store.upsertFrontends(entries);
    List<FrontendKey> keys = List.copyOf(entries.keySet());
    store.deleteFrontends(List.of(keys.get(1), keys.get(4)));
    store.deleteFrontends(
        List.of(keys.get(1), keys.get(0), keys.get(4), keys.get(4), keys.get(7), keys.get(1)));
    assertThat(store.load().frontends())
        .containsOnlyKeys(keys.get(2), keys.get(3), keys.get(5), keys.get(6));
  }
}
