// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench.programming;

import dev.patchbay.abi.AbiLimits;
import dev.patchbay.kernel.DataplaneOptions;
import dev.patchbay.kernel.sys.Batch;
import dev.patchbay.kernel.sys.Bpf;
import dev.patchbay.kernel.sys.MapType;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.ServiceState;
import dev.patchbay.scale.Programmer;
import dev.patchbay.scale.World;
import dev.patchbay.table.Capacity;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.LongSupplier;

/**
 * A program that does to the maps of the kernel what an agent does, from parsed objects on, and
 * says how long each took. It runs in a JVM of its own with the options of the agent, so the first
 * load is that of a JVM that has just started. Prints {@link Line}s.
 *
 * <p>Arguments: {@code load BPF-DIR CGROUP SERVICES ENDPOINTS}, {@code all BPF-DIR CGROUP SERVICES
 * ENDPOINTS CHANGES}, or {@code batch ENTRIES COUNT CALLS}.
 */
final class Operations implements AutoCloseable {
  /** Endpoints of the Service that rolls. */
  static final int ROLLING = 1000;

  private static final int LOADED_AGAIN = 5;
  private static final Duration SUSTAINED = Duration.ofSeconds(2);

  private final int services;
  private final int endpoints;
  private final Programmer programmer;
  private final List<ServiceState> all = new ArrayList<>();
  private final int[] versions;
  private final Random random = new Random(1);

  private Operations(Path bpfDir, Path cgroup, int services, int endpoints) throws Exception {
    this.services = services;
    this.endpoints = endpoints;
    versions = new int[services];
    for (int i = 0; i < services; i++) {
      all.add(World.service(i, 0, endpoints));
    }
    Capacity usual = AbiLimits.DEFAULT_CAPACITY;
    // Room for what is replaced until its readers have ended, and for what comes besides.
    Capacity capacity =
        new Capacity(
            Math.max(usual.frontends(), 3 * services), // two for each Service
            Math.max(usual.services(), 2 * services),
            Math.max(usual.backends(), 2 * services * endpoints));
    DataplaneOptions options =
        new DataplaneOptions(
            bpfDir, capacity, AbiLimits.DEFAULT_AFFINITY, AbiLimits.DEFAULT_UDP_FLOWS, bpfDir);
    programmer = Programmer.open(options, cgroup);
  }

  /** Runs it. */
  public static void main(String[] args) throws Exception {
    if (args[0].equals("batch")) {
      batch(Integer.parseInt(args[1]), Integer.parseInt(args[2]), Integer.parseInt(args[3]));
      return;
    }
    try (Operations operations =
        new Operations(
            Path.of(args[1]),
            Path.of(args[2]),
            Integer.parseInt(args[3]),
            Integer.parseInt(args[4]))) {
      operations.load();
      if (args[0].equals("all")) {
        operations.all(Integer.parseInt(args[5]));
      }
      List<String> wrong = operations.programmer.wrong();
      if (!wrong.isEmpty()) {
        throw new IllegalStateException("the maps do not hold what is wanted: " + wrong);
      }
    }
  }

  private void load() {
    Line.print("load", List.of(programmer.load(all)));
  }

  private void all(int changes) {
    List<ObjectKey> keys = all.stream().map(state -> state.service().key()).toList();
    List<Long> again = new ArrayList<>();
    for (int i = 0; i < LOADED_AGAIN; i++) {
      long ignored = programmer.remove(keys);
      again.add(programmer.change(all));
    }
    Line.print("load-again", again);

    repeat(changes, this::change); // warms up
    Line.print("change", repeat(changes, this::change));

    List<Long> added = new ArrayList<>();
    List<Long> removed = new ArrayList<>();
    for (int i = 0; i < changes / 2; i++) {
      added.add(programmer.change(World.service(services, i, endpoints)));
      removed.add(programmer.remove(List.of(World.key(services))));
    }
    Line.print("add", added.subList(added.size() / 2, added.size()));
    Line.print("remove", removed.subList(removed.size() / 2, removed.size()));

    long ignored = programmer.change(World.large(services, 0, ROLLING, 1));
    List<Long> steps = new ArrayList<>();
    for (int step = 1; step <= ROLLING; step++) {
      steps.add(programmer.change(World.large(services, step, ROLLING, 1)));
    }
    Line.print("roll", steps);

    List<Long> mass = new ArrayList<>();
    for (int i = 0; i < LOADED_AGAIN; i++) {
      List<ServiceState> states = new ArrayList<>();
      for (int number = 0; number < services; number++) {
        states.add(World.service(number, ++versions[number], endpoints));
      }
      mass.add(programmer.change(states));
    }
    Line.print("mass", mass);

    long start = System.nanoTime();
    long count = 0;
    while (System.nanoTime() - start < SUSTAINED.toNanos()) {
      long nanos = change();
      count += nanos > 0 ? 1 : 0;
    }
    Line.print("sustained", List.of((System.nanoTime() - start) / count));
  }

  private long change() {
    int number = random.nextInt(services);
    return programmer.change(World.service(number, ++versions[number], endpoints));
  }

  private static List<Long> repeat(int times, LongSupplier operation) {
    List<Long> nanos = new ArrayList<>(times);
    for (int i = 0; i < times; i++) {
      nanos.add(operation.getAsLong());
    }
    return nanos;
  }

  /** As {@code map_loader batch} does. */
  private static void batch(int entries, int count, int calls) {
    int keySize = 20;
    int valueSize = 8;
    int noPrealloc = 1;
    int fd =
        Bpf.bpf_map_create(MapType.HASH, "frontends", keySize, valueSize, entries, noPrealloc, 0);
    if (fd < 0) {
      throw new IllegalStateException("cannot create a map: " + fd);
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment keys = arena.allocate((long) entries * keySize);
      MemorySegment values = arena.allocate((long) entries * valueSize);
      ValueLayout.OfInt order = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
      for (int i = 0; i < entries; i++) {
        keys.set(order, (long) i * keySize + 8, 0xffff);
        keys.set(order, (long) i * keySize + 12, 0x0a60_0000 + i);
        keys.set(order, (long) i * keySize + 16, 80 << 16 | 6 << 8);
        values.set(ValueLayout.JAVA_INT_UNALIGNED, (long) i * valueSize, i);
      }
      List<Long> nanos = new ArrayList<>(calls);
      for (int i = 0; i < 2 * calls; i++) {
        int from = (int) ((long) i * count % (entries - count + 1));
        MemorySegment someKeys = keys.asSlice((long) from * keySize);
        MemorySegment someValues = values.asSlice((long) from * valueSize);
        long start = System.nanoTime();
        Batch done = Bpf.bpf_map_update_batch(fd, someKeys, someValues, count);
        long took = System.nanoTime() - start;
        if (done.result() < 0) {
          throw new IllegalStateException("cannot write: " + done);
        }
        if (i >= calls) { // the first half warms up
          nanos.add(took);
        }
      }
      Line.print("batch", nanos);
    }
  }

  @Override
  public void close() {
    programmer.close();
  }
}
