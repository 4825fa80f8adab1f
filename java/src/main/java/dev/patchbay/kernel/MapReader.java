// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.abi.BackendCodec;
import dev.patchbay.abi.CounterIndex;
import dev.patchbay.abi.FrontendKeyCodec;
import dev.patchbay.abi.FrontendValueCodec;
import dev.patchbay.abi.ServiceCodec;
import dev.patchbay.kernel.sys.Bpf;
import dev.patchbay.observe.Counters;
import dev.patchbay.table.Backend;
import dev.patchbay.table.Capacity;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.FrontendValue;
import dev.patchbay.table.ObservedState;
import dev.patchbay.table.ObservedState.ObservedService;
import dev.patchbay.table.ServiceSettings;
import dev.patchbay.table.ServiceWord;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** Reads the maps back. Any thread may call; the maps belong to whoever made this. */
final class MapReader {
  /**
   * The place of a service whose settings make no sense: a range that leaves every map, so that it
   * is treated as the damage it is.
   */
  private static final int NOWHERE = 0xff_ffff;

  private final BpfMap frontends;
  private final MemorySegment services;
  private final MemorySegment backends;
  private final Capacity capacity;

  MapReader(BpfMap frontends, MemorySegment services, MemorySegment backends, Capacity capacity) {
    this.frontends = frontends;
    this.services = services;
    this.backends = backends;
    this.capacity = capacity;
  }

  /**
   * What was read.
   *
   * @param state all that could be interpreted
   * @param foreignKeys keys of {@code frontends} that could not, as bytes
   */
  record Contents(ObservedState state, List<byte[]> foreignKeys) {}

  Contents read() throws KernelException {
    Map<FrontendKey, FrontendValue> rows = HashMap.newHashMap(1024);
    List<byte[]> foreign = new ArrayList<>();
    frontends.forEach(
        (keys, values, count) -> {
          for (int i = 0; i < count; i++) {
            long keyAt = (long) i * FrontendKeyCodec.SIZE;
            Optional<FrontendKey> key = FrontendKeyCodec.decode(keys, keyAt);
            if (key.isPresent()) {
              long valueAt = (long) i * FrontendValueCodec.SIZE;
              rows.put(key.get(), FrontendValueCodec.decode(values, valueAt));
            } else {
              foreign.add(
                  keys.asSlice(keyAt, FrontendKeyCodec.SIZE).toArray(ValueLayout.JAVA_BYTE));
            }
          }
        });
    return new Contents(
        new ObservedState(rows, services(), capacity, this::backends), List.copyOf(foreign));
  }

  /**
   * How many entries are in use.
   *
   * @param frontends entries of {@code frontends}
   * @param services entries of {@code services} that say something
   * @param backends entries of {@code backends} that those name
   */
  record Occupied(long frontends, long services, long backends) {}

  /** Counts entries, without making objects of them. */
  Occupied occupied() throws KernelException {
    long used = 0;
    long rows = 0;
    for (int index = 0; index < capacity.services(); index++) {
      long at = (long) index * ServiceCodec.SIZE;
      if (ServiceCodec.isUsed(services, at)) {
        used++;
        rows += ServiceCodec.word(services, at).count();
      }
    }
    return new Occupied(frontends.count(), used, rows);
  }

  private Map<Integer, ObservedService> services() {
    Map<Integer, ObservedService> used = HashMap.newHashMap(1024);
    for (int index = 0; index < capacity.services(); index++) {
      long at = (long) index * ServiceCodec.SIZE;
      if (ServiceCodec.isUsed(services, at)) {
        used.put(index, service(at));
      }
    }
    return used;
  }

  private ObservedService service(long at) {
    ServiceWord word = ServiceCodec.word(services, at);
    Optional<ServiceSettings> settings = ServiceCodec.settings(services, at);
    return settings
        .map(known -> new ObservedService(word, known))
        .orElseGet(
            () ->
                new ObservedService(
                    new ServiceWord(NOWHERE, ServiceWord.MAX_COUNT, word.generation()),
                    ServiceSettings.NONE));
  }

  private List<Backend> backends(int base, int count) {
    Objects.checkFromIndexSize(base, count, capacity.backends());
    List<Backend> rows = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      rows.add(BackendCodec.decode(backends, (long) (base + i) * BackendCodec.SIZE));
    }
    return rows;
  }

  /** The sums over all CPUs. */
  static Counters counters(BpfMap map) throws KernelException {
    int cpus =
        KernelException.check(
            Bpf.libbpf_num_possible_cpus(), new Operation("count", "possible CPUs"));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment key = arena.allocate(ValueLayout.JAVA_INT);
      MemorySegment perCpu = arena.allocate(ValueLayout.JAVA_LONG, cpus);
      long[] sums = new long[CounterIndex.count()];
      for (int index = 0; index < sums.length; index++) {
        key.set(ValueLayout.JAVA_INT, 0, index);
        map.lookup(key, perCpu);
        for (int cpu = 0; cpu < cpus; cpu++) {
          sums[index] += perCpu.getAtIndex(ValueLayout.JAVA_LONG, cpu);
        }
      }
      return new Counters(
          sums[CounterIndex.CONNECT_TCP.index()],
          sums[CounterIndex.CONNECT_UDP.index()],
          sums[CounterIndex.SEND_UDP.index()],
          sums[CounterIndex.REPLY_UDP.index()],
          sums[CounterIndex.REFUSED_NO_ENDPOINT.index()],
          sums[CounterIndex.REFUSED_POLICY.index()],
          sums[CounterIndex.REFUSED_UNKNOWN_PORT.index()],
          sums[CounterIndex.AFFINITY_KEPT.index()],
          sums[CounterIndex.STATE_FAILED.index()],
          sums[CounterIndex.CORRUPT.index()],
          sums[CounterIndex.REFUSED_BIND.index()],
          sums[CounterIndex.EVENTS_LOST.index()],
          sums[CounterIndex.STATS_FAILED.index()]);
    }
  }
}
