// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.abi.EventCodec;
import dev.patchbay.kernel.sys.Bpf;
import dev.patchbay.kernel.sys.Errno;
import dev.patchbay.kernel.sys.Libc;
import dev.patchbay.observe.BindConflict;
import dev.patchbay.observe.BindConflictListener;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The reading end of the ring buffer {@code events}, of which there may be one at a time.
 *
 * <p>The kernel gives it as memory: one page with the reader's position, then one with the writer's
 * and the data, twice in a row, so that no record is ever in two pieces. Positions only grow. Each
 * record begins with a header of 8 bytes whose first word is its length and two flags. What the
 * programs write there becomes visible with the writer's position and then the cleared busy flag,
 * both read with acquire semantics; the kernel may reuse what lies behind the reader's position,
 * which is stored with release semantics once a record was decoded.
 */
final class EventReader implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(EventReader.class);

  /** How long closing waits at most for the thread to notice, in milliseconds. */
  private static final int WAIT_MILLIS = 200;

  private static final VarHandle POSITION = ValueLayout.JAVA_LONG.varHandle();
  private static final VarHandle LENGTH = ValueLayout.JAVA_INT.varHandle();

  private final BpfMap map;
  private final BindConflictListener listener;
  private final Arena arena;
  private final MemorySegment reader;
  private final MemorySegment writer;
  private final MemorySegment data;
  private @Nullable Thread thread;
  private volatile boolean stopped;

  private EventReader(
      BpfMap map,
      BindConflictListener listener,
      Arena arena,
      MemorySegment reader,
      MemorySegment writer) {
    this.map = map;
    this.listener = listener;
    this.arena = arena;
    this.reader = reader;
    this.writer = writer;
    this.data = writer.asSlice(Libc.pageSize());
  }

  /** Maps {@code map} into memory; it must stay open until this is closed. */
  static EventReader open(BpfMap map, BindConflictListener listener) throws KernelException {
    long page = Libc.pageSize();
    long size = map.shape().maxEntries();
    Arena arena = Arena.ofShared();
    try {
      MemorySegment reader = mapped(map, arena, page, true, 0);
      MemorySegment writer = mapped(map, arena, page + 2 * size, false, page);
      return new EventReader(map, listener, arena, reader, writer);
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

  /** Polls on a thread of its own until this is closed. */
  void start() {
    thread = Thread.ofPlatform().name("patchbay-ring").daemon().start(this::run);
  }

  private void run() {
    while (!stopped) {
      try {
        poll(WAIT_MILLIS);
      } catch (KernelException | RuntimeException failed) {
        log.error("no more events are read: {}", failed.getMessage(), failed);
        return;
      }
    }
  }

  /**
   * Delivers what is there, after waiting for something if nothing is. One thread at a time.
   *
   * @param waitMillis how long to wait at most, in milliseconds
   * @return how many records there were
   */
  int poll(int waitMillis) throws KernelException {
    int count = drain();
    if (count > 0) {
      return count;
    }
    int result = Libc.pollReadable(map.fd(), waitMillis);
    if (result < 0 && !Errno.EINTR.is(result)) {
      throw KernelException.of(result, new Operation("wait for", "map " + map.name()));
    }
    return drain();
  }

  private int drain() {
    int count = 0;
    long at = (long) POSITION.getAcquire(reader, 0L);
    while (at < (long) POSITION.getAcquire(writer, 0L)) {
      long start = at & (map.shape().maxEntries() - 1);
      int header = (int) LENGTH.getAcquire(data, start);
      if ((header & Bpf.ringbufBusyBit()) != 0) {
        return count; // its writer will wake us
      }
      int length = header & ~Bpf.ringbufDiscardBit();
      Optional<BindConflict> conflict =
          header == EventCodec.SIZE
              ? EventCodec.bindConflict(data, start + Bpf.ringbufHeaderSize())
              : Optional.empty();
      at += Bpf.ringbufHeaderSize() + (length + 7L & ~7L);
      POSITION.setRelease(reader, 0L, at);
      conflict.ifPresentOrElse(
          this::deliver, () -> log.debug("an event of {} bytes that nobody reads", length));
      count++;
    }
    return count;
  }

  private void deliver(BindConflict conflict) {
    try {
      listener.refused(conflict);
    } catch (RuntimeException failed) {
      log.error("cannot deliver {}", conflict, failed);
    }
  }

  /** Waits for a delivery that is under way; idempotent. Not for the listener to call. */
  @Override
  public void close() {
    stopped = true;
    if (thread != null) {
      boolean interrupted = false;
      while (thread.isAlive()) {
        try {
          thread.join();
        } catch (InterruptedException asked) {
          interrupted = true; // the memory must not go before the thread
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}
