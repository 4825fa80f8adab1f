// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.kernel.sys.Bpf;
import dev.patchbay.kernel.sys.Errno;
import dev.patchbay.kernel.sys.Libc;
import dev.patchbay.kernel.sys.Sockets;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * The reading end of a ring buffer, of which there may be one at a time.
 *
 * <p>The kernel gives it as memory: one page with the reader's position, then one with the writer's
 * and the data, twice in a row, so that no record is ever in two pieces. Positions only grow. Each
 * record begins with a header of 8 bytes whose first word is its length and two flags. What the
 * programs write there becomes visible with the writer's position and then the cleared busy flag,
 * both read with acquire semantics; the kernel may reuse what lies behind the reader's position,
 * which is stored with release semantics once a record was decoded.
 *
 * <p>One thread at a time.
 */
final class RingReader implements AutoCloseable {
  private static final VarHandle POSITION = ValueLayout.JAVA_LONG.varHandle();
  private static final VarHandle LENGTH = ValueLayout.JAVA_INT.varHandle();

  private final BpfMap map;
  private final Arena arena;
  private final MemorySegment reader;
  private final MemorySegment writer;
  private final MemorySegment data;

  /** Takes one record. */
  @FunctionalInterface
  interface Visitor {
    /**
     * A record: {@code length} bytes at offset {@code at}, valid during the call. Whatever it
     * throws, the record is read.
     */
    void accept(MemorySegment data, long at, int length);
  }

  private RingReader(BpfMap map, Arena arena, MemorySegment reader, MemorySegment writer) {
    this.map = map;
    this.arena = arena;
    this.reader = reader;
    this.writer = writer;
    this.data = writer.asSlice(Libc.pageSize());
  }

  /** Maps {@code map} into memory; it must stay open until this is closed. */
  static RingReader open(BpfMap map) throws KernelException {
    long page = Libc.pageSize();
    long size = map.shape().maxEntries();
    Arena arena = Arena.ofShared();
    try {
      MemorySegment reader = mapped(map, arena, page, true, 0);
      MemorySegment writer = mapped(map, arena, page + 2 * size, false, page);
      return new RingReader(map, arena, reader, writer);
    } catch (KernelException refused) {
      arena.close();
      throw refused;
    }
  }

  private static MemorySegment mapped(
      BpfMap map, Arena arena, long length, boolean writable, long offset) throws KernelException {
    long address = Libc.mmap(length, writable, map.fd(), offset);
    if (address < 0 && address >= -4095) {
      throw KernelException.of(
          (int) address, new Operation("map into memory", "map " + map.name(), length + " bytes"));
    }
    MemorySegment memory =
        MemorySegment.ofAddress(address)
            .reinterpret(length, arena, segment -> Libc.munmap(address, length));
    return writable ? memory : memory.asReadOnly();
  }

  /**
   * Reads what is there, after waiting for something if nothing is.
   *
   * @param waitMillis how long to wait at most, in milliseconds
   * @return how many records there were
   */
  int poll(int waitMillis, Visitor visitor) throws KernelException {
    int count = drain(visitor);
    if (count > 0) {
      return count;
    }
    int result = Libc.pollReadable(map.fd(), waitMillis);
    if (result < 0 && !Errno.EINTR.is(result)) {
      throw KernelException.of(result, new Operation("wait for", "map " + map.name()));
    }
    return drain(visitor);
  }

  /**
   * Reads what is there, after waiting until something is, or until it is woken up.
   *
   * @return how many records there were
   */
  int poll(WakeUp wakeUp, Visitor visitor) throws KernelException {
    int count = drain(visitor);
    if (count > 0) {
      return count;
    }
    int result = Sockets.pollEither(map.fd(), wakeUp.fd());
    if (result < 0 && !Errno.EINTR.is(result)) {
      throw KernelException.of(result, new Operation("wait for", "map " + map.name()));
    }
    return drain(visitor);
  }

  private int drain(Visitor visitor) {
    int count = 0;
    long at = (long) POSITION.getAcquire(reader, 0L);
    while (at < (long) POSITION.getAcquire(writer, 0L)) {
      long start = at & (map.shape().maxEntries() - 1);
      int header = (int) LENGTH.getAcquire(data, start);
      if ((header & Bpf.ringbufBusyBit()) != 0) {
        return count; // its writer will wake us
      }
      int length = header & ~Bpf.ringbufDiscardBit();
      at += Bpf.ringbufHeaderSize() + (length + 7L & ~7L);
      try {
        if (header == length) {
          visitor.accept(data, start + Bpf.ringbufHeaderSize(), length);
        }
      } finally {
        POSITION.setRelease(reader, 0L, at);
      }
      count++;
    }
    return count;
  }

  /** Idempotent. */
  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}
