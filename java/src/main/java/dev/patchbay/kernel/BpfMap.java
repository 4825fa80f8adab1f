// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.kernel.sys.Answer;
import dev.patchbay.kernel.sys.Batch;
import dev.patchbay.kernel.sys.Bpf;
import dev.patchbay.kernel.sys.Errno;
import dev.patchbay.kernel.sys.MapInfo;
import dev.patchbay.kernel.sys.MapShape;
import dev.patchbay.kernel.sys.MapType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A map of the kernel. Closing gives up this process's descriptor; the map lives on while it is
 * pinned or a program uses it. Any thread may call, except for {@link #close}.
 */
final class BpfMap implements AutoCloseable {
  /** How much is read at once. */
  private static final int READ_BYTES = 256 * 1024;

  private final String name;
  private final Fd fd;
  private final int id;
  private final MapShape shape;

  private BpfMap(String name, Fd fd, int id, MapShape shape) {
    this.name = name;
    this.fd = fd;
    this.id = id;
    this.shape = shape;
  }

  /**
   * Opens a pinned map.
   *
   * @throws KernelException.NotFound if nothing is pinned there
   */
  static BpfMap pinned(PatchbayMap map, Path path) throws KernelException {
    Operation operation = new Operation("open", "map " + map.mapName(), path.toString());
    return adopt(map.mapName(), Fd.of(Bpf.bpf_obj_get(path), operation), operation);
  }

  /** Takes over a descriptor; closes it on failure. */
  static BpfMap adopt(String name, Fd fd, Operation operation) throws KernelException {
    Answer<MapInfo> answer = Bpf.mapInfo(fd.number());
    MapInfo info = answer.value();
    if (info == null) {
      fd.close();
      throw KernelException.of(answer.result(), operation);
    }
    return new BpfMap(name, fd, info.id(), info.shape());
  }

  String name() {
    return name;
  }

  /** The kernel's number of it, unique while it lives. */
  int id() {
    return id;
  }

  MapShape shape() {
    return shape;
  }

  int fd() {
    return fd.number();
  }

  /** Reads one element; for a per-CPU map, the values of all possible CPUs. */
  void lookup(MemorySegment key, MemorySegment value) throws KernelException {
    int result = Bpf.bpf_map_lookup_elem(fd(), key, value);
    if (result < 0) {
      throw KernelException.ofElement(result, new Operation("read", "map " + name));
    }
  }

  /** Reads one element of a map that has one value for all CPUs; false if there is none. */
  boolean find(MemorySegment key, MemorySegment value) throws KernelException {
    int result = Bpf.bpf_map_lookup_elem(fd(), key, value);
    if (Errno.ENOENT.is(result)) {
      return false;
    }
    if (result < 0) {
      throw KernelException.ofElement(result, new Operation("read", "map " + name));
    }
    return true;
  }

  /** Inserts or replaces {@code count} elements; the answer says how many were, and why no more. */
  Batch update(MemorySegment keys, MemorySegment values, int count) {
    return Bpf.bpf_map_update_batch(fd(), keys, values, count);
  }

  /** Deletes {@code count} elements; a key that is not there is skipped. */
  void delete(MemorySegment keys, int count) throws KernelException {
    int keySize = shape.keySize();
    int done = 0;
    while (done < count) {
      MemorySegment rest = keys.asSlice((long) done * keySize);
      Batch batch = Bpf.bpf_map_delete_batch(fd(), rest, count - done);
      done += batch.count();
      if (batch.result() < 0) {
        if (!Errno.ENOENT.is(batch.result())) {
          throw KernelException.ofElement(
              batch.result(), new Operation("delete from", "map " + name));
        }
        done++; // the kernel stops at a missing key
      }
    }
  }

  /** Receives elements in bulk. */
  @FunctionalInterface
  interface Visitor {
    /**
     * {@code count} keys and values, each at multiples of its size, that of a per-CPU value
     * multiplied by the number of CPUs; valid during the call.
     */
    void accept(MemorySegment keys, MemorySegment values, int count);
  }

  /** Reads all elements of a hash map, in no order. Writers may be active. */
  void forEach(Visitor visitor) throws KernelException {
    Scan scan = scan();
    int atOnce = Math.clamp(READ_BYTES / (shape.keySize() + valueBytes()), 64, 4096);
    boolean more = true;
    while (more) {
      more = scan.next(atOnce, visitor);
    }
  }

  /** Begins to read all elements of a hash map, in no order. Writers may be active. */
  Scan scan() {
    return new Scan();
  }

  /** A walk through a hash map. One thread at a time. */
  final class Scan {
    /** Where to go on; empty at the start. */
    private byte[] position = {};

    private int room = 1;

    /**
     * Reads some elements.
     *
     * @param atMost how many, unless one hash bucket holds more
     * @return whether there may be more
     */
    boolean next(int atMost, Visitor visitor) throws KernelException {
      room = Math.max(room, Math.min(atMost, shape.maxEntries()));
      while (true) {
        try (Arena arena = Arena.ofConfined()) {
          MemorySegment from = MemorySegment.NULL;
          long size = Math.max(4, shape.keySize());
          if (position.length > 0) {
            from = arena.allocate(size, Integer.BYTES);
            MemorySegment.copy(position, 0, from, ValueLayout.JAVA_BYTE, 0, position.length);
          }
          MemorySegment next = arena.allocate(size, Integer.BYTES);
          MemorySegment keys = arena.allocate((long) room * shape.keySize(), Long.BYTES);
          MemorySegment values = arena.allocate((long) room * valueBytes(), Long.BYTES);
          Batch batch = Bpf.bpf_map_lookup_batch(fd(), from, next, keys, values, room);
          if (Errno.ENOSPC.is(batch.result())) {
            room = Math.multiplyExact(room, 2); // one bucket holds more than there is room for
            continue;
          }
          boolean more = batch.result() == 0;
          if (!more && !Errno.ENOENT.is(batch.result())) {
            throw KernelException.ofElement(batch.result(), new Operation("read", "map " + name));
          }
          visitor.accept(keys, values, batch.count());
          position = next.toArray(ValueLayout.JAVA_BYTE);
          return more;
        }
      }
    }
  }

  /** Bytes of a value as the kernel hands it out: of a per-CPU map, those of all possible CPUs. */
  private int valueBytes() throws KernelException {
    if (shape.type() != MapType.PERCPU_HASH.number()) {
      return shape.valueSize();
    }
    int cpus =
        KernelException.check(
            Bpf.libbpf_num_possible_cpus(), new Operation("count", "possible CPUs"));
    return Math.multiplyExact(cpus, (shape.valueSize() + 7) & ~7);
  }

  /** How many elements a hash map holds. */
  long count() throws KernelException {
    AtomicLong sum = new AtomicLong();
    forEach((keys, values, count) -> sum.addAndGet(count));
    return sum.get();
  }

  /** Idempotent. */
  @Override
  public void close() {
    fd.close();
  }
}
