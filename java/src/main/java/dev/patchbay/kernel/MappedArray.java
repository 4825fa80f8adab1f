// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.kernel.sys.Libc;
import dev.patchbay.kernel.sys.MapShape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * An array map in this process's memory: entry {@code i} lies at {@code i * entrySize}. What is
 * stored here is what programs read, with no call in between. Any thread may read and write;
 * closing unmaps, and access after that fails with {@link IllegalStateException}.
 */
final class MappedArray implements AutoCloseable {
  private final Arena arena;
  private final MemorySegment memory;

  private MappedArray(Arena arena, MemorySegment memory) {
    this.arena = arena;
    this.memory = memory;
  }

  /** Maps all of {@code map}, which must have been created with {@code BPF_F_MMAPABLE}. */
  static MappedArray map(BpfMap map, boolean writable) throws KernelException {
    return map(map.name(), map.fd(), map.shape(), writable);
  }

  /** The same for a descriptor, which may be closed afterwards. */
  static MappedArray map(String name, int fd, MapShape shape, boolean writable)
      throws KernelException {
    long length = (long) shape.maxEntries() * shape.valueSize();
    long address = Libc.mmap(length, writable, fd, 0);
    if (address < 0 && address >= -4095) {
      throw KernelException.of(
          (int) address, new Operation("map into memory", "map " + name, length + " bytes"));
    }
    Arena arena = Arena.ofShared();
    MemorySegment memory =
        MemorySegment.ofAddress(address)
            .reinterpret(length, arena, segment -> Libc.munmap(address, length));
    return new MappedArray(arena, writable ? memory : memory.asReadOnly());
  }

  MemorySegment memory() {
    return memory;
  }

  /** Idempotent. */
  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}
