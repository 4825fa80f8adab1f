// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.abi.BackendCodec;
import dev.patchbay.abi.BackendStatsCodec;
import dev.patchbay.abi.FrontendKeyCodec;
import dev.patchbay.abi.FrontendValueCodec;
import dev.patchbay.abi.ServiceCodec;
import dev.patchbay.abi.ServiceStatsCodec;
import dev.patchbay.abi.WatchersCodec;
import dev.patchbay.kernel.sys.Bpf;
import dev.patchbay.kernel.sys.MapShape;
import dev.patchbay.kernel.sys.MapType;
import dev.patchbay.table.Capacity;
import dev.patchbay.table.FrontendValue;
import dev.patchbay.table.ObservedState;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * All pinned maps, opened. Closing gives up descriptors; pins stay. Any thread may read; closing is
 * for the owner.
 */
final class MapSet implements AutoCloseable {
  private final Map<PatchbayMap, BpfMap> maps;

  private MapSet(Map<PatchbayMap, BpfMap> maps) {
    this.maps = maps;
  }

  /**
   * Opens every map.
   *
   * @throws KernelException.NotFound if one is not pinned
   * @throws KernelException.Incompatible if one cannot be read as this version reads it
   */
  static MapSet open(Pins pins) throws KernelException {
    try (Opened opened = new Opened()) {
      Map<PatchbayMap, BpfMap> maps = new EnumMap<>(PatchbayMap.class);
      for (PatchbayMap map : PatchbayMap.values()) {
        BpfMap pinned = opened.add(BpfMap.pinned(map, pins.map(map)));
        requireReadable(map, pinned.shape(), pins);
        maps.put(map, pinned);
      }
      opened.keep();
      return new MapSet(maps);
    }
  }

  BpfMap get(PatchbayMap map) {
    BpfMap found = maps.get(map);
    if (found == null) {
      throw new IllegalStateException("a set holds all maps");
    }
    return found;
  }

  Capacity capacity() {
    return new Capacity(
        get(PatchbayMap.FRONTENDS).shape().maxEntries(),
        get(PatchbayMap.SERVICES).shape().maxEntries(),
        get(PatchbayMap.BACKENDS).shape().maxEntries());
  }

  /** How full each map is, of which {@code state} was read. */
  List<MapUsage> usage(ObservedState state) throws KernelException {
    List<Integer> named = named(state);
    long rows =
        named.stream()
            .map(state.services()::get)
            .mapToLong(service -> service == null ? 0 : service.word().count())
            .sum();
    return usage(new MapReader.Occupied(state.frontends().size(), named.size(), rows));
  }

  /** How full each map is, of which the three that make up the state are counted already. */
  List<MapUsage> usage(MapReader.Occupied occupied) throws KernelException {
    List<MapUsage> usages = new ArrayList<>();
    for (PatchbayMap map : PatchbayMap.values()) {
      usages.add(new MapUsage(map.mapName(), used(map, occupied), get(map).shape().maxEntries()));
    }
    return usages;
  }

  private OptionalLong used(PatchbayMap map, MapReader.Occupied occupied) throws KernelException {
    return switch (map) {
      case FRONTENDS -> OptionalLong.of(occupied.frontends());
      case SERVICES -> OptionalLong.of(occupied.services());
      case BACKENDS -> OptionalLong.of(occupied.backends());
      case UDP_FLOWS, AFFINITY, SERVICE_STATS, BACKEND_STATS -> OptionalLong.of(get(map).count());
      case COUNTERS, SOCKET_STATE, CONNECTIONS, UDP_SOCKET_FLOWS, EVENTS, WATCHERS, WATCHER_RINGS ->
          OptionalLong.empty();
    };
  }

  /** Indexes that a frontend names. */
  private static List<Integer> named(ObservedState state) {
    return state.frontends().values().stream()
        .<Integer>mapMulti(
            (value, sink) -> {
              if (value instanceof FrontendValue.ToService(int index)) {
                sink.accept(index);
              }
            })
        .distinct()
        .toList();
  }

  /** Sizes that codecs rely on; a pin could be anybody's. */
  private static void requireReadable(PatchbayMap map, MapShape shape, Pins pins)
      throws KernelException {
    MapShape expected =
        switch (map) {
          case FRONTENDS -> as(shape, MapType.HASH, FrontendKeyCodec.SIZE, FrontendValueCodec.SIZE);
          case SERVICES -> mapped(shape, ServiceCodec.SIZE);
          case BACKENDS -> mapped(shape, BackendCodec.SIZE);
          case COUNTERS -> as(shape, MapType.PERCPU_ARRAY, Integer.BYTES, Long.BYTES);
          case EVENTS -> as(shape, MapType.RINGBUF, 0, 0);
          case SERVICE_STATS -> as(shape, MapType.PERCPU_HASH, Long.BYTES, ServiceStatsCodec.SIZE);
          case BACKEND_STATS ->
              as(shape, MapType.PERCPU_HASH, BackendStatsCodec.KEY_SIZE, BackendStatsCodec.SIZE);
          case WATCHERS -> mapped(shape, WatchersCodec.SIZE);
          case WATCHER_RINGS -> as(shape, MapType.ARRAY_OF_MAPS, Integer.BYTES, Integer.BYTES);
          case SOCKET_STATE, CONNECTIONS, UDP_SOCKET_FLOWS, UDP_FLOWS, AFFINITY -> shape;
        };
    if (!shape.equals(expected)) {
      throw incompatible(map, shape, expected, pins);
    }
  }

  private static MapShape as(MapShape shape, MapType type, int keySize, int valueSize) {
    return new MapShape(type.number(), keySize, valueSize, shape.maxEntries(), shape.flags());
  }

  private static MapShape mapped(MapShape shape, int valueSize) {
    return new MapShape(
        MapType.ARRAY.number(),
        Integer.BYTES,
        valueSize,
        shape.maxEntries(),
        shape.flags() | Bpf.mmapable());
  }

  static KernelException incompatible(PatchbayMap map, Object found, Object expected, Pins pins) {
    return new KernelException.Incompatible(
        new Operation("adopt", "map " + map.mapName(), pins.map(map).toString()),
        found.toString(),
        expected.toString(),
        "set the capacities that the map was made with, or start afresh: patchbay cleanup --bpf-dir "
            + pins.bpfDir());
  }

  /** Idempotent. */
  @Override
  public void close() {
    maps.values().forEach(BpfMap::close);
  }
}
