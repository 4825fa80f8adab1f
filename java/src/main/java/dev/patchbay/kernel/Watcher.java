// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.abi.AbiLimits;
import dev.patchbay.abi.EventCodec;
import dev.patchbay.abi.WatchersCodec;
import dev.patchbay.kernel.sys.Bpf;
import dev.patchbay.kernel.sys.Errno;
import dev.patchbay.kernel.sys.MapType;
import dev.patchbay.observe.ConnectionEvent;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hears of each connection, through a ring buffer of its own, as long as it is open. Needs no
 * agent.
 *
 * <p>It holds one of a few places until a deadline, which each {@link #poll} moves on: one that was
 * killed gives its place up by itself. For one thread.
 */
public final class Watcher implements AutoCloseable {
  /** A reader that does not come back within this time is gone. */
  private static final long TERM_NANOS = TimeUnit.SECONDS.toNanos(4);

  private static final long RENEWAL_NANOS = TimeUnit.SECONDS.toNanos(1);

  private static final Logger log = LoggerFactory.getLogger(Watcher.class);

  private final MappedArray watchers;
  private final BpfMap rings;
  private final BpfMap buffer;
  private final RingReader reader;
  private final int place;
  private long deadline;
  private boolean closed;

  private Watcher(
      MappedArray watchers,
      BpfMap rings,
      BpfMap buffer,
      RingReader reader,
      int place,
      long deadline) {
    this.watchers = watchers;
    this.rings = rings;
    this.buffer = buffer;
    this.reader = reader;
    this.place = place;
    this.deadline = deadline;
  }

  /**
   * Begins to watch: what happens after this returns is heard of.
   *
   * @param maps must stay open as long as the watcher
   * @param bytes of the ring buffer, a power of two and a multiple of the page size
   * @throws KernelException.Busy if all places are taken
   */
  static Watcher open(MapSet maps, int bytes) throws KernelException {
    Operation operation = new Operation("create", "ring buffer", bytes + " bytes");
    try (Opened opened = new Opened()) {
      MappedArray watchers = opened.add(MappedArray.map(maps.get(PatchbayMap.WATCHERS), true));
      BpfMap buffer =
          opened.add(
              BpfMap.adopt(
                  "pb_watch",
                  Fd.of(
                      Bpf.bpf_map_create(MapType.RINGBUF, "pb_watch", 0, 0, bytes, 0, 0),
                      operation),
                  operation));
      RingReader reader = opened.add(RingReader.open(buffer));
      BpfMap rings = maps.get(PatchbayMap.WATCHER_RINGS);
      MemorySegment memory = watchers.memory();
      long now = System.nanoTime();
      int place = take(memory, now + TERM_NANOS);
      Watcher watcher = new Watcher(watchers, rings, buffer, reader, place, now + TERM_NANOS);
      try {
        // The kernel waits for programs that still have the buffer of who had this place before.
        watcher.setRing(buffer.fd());
      } catch (KernelException refused) {
        watcher.leave();
        throw refused;
      }
      WatchersCodec.resetLost(memory, place);
      raise(memory, watcher.deadline);
      opened.keep();
      return watcher;
    }
  }

  /** Takes a place whose deadline is over. */
  private static int take(MemorySegment memory, long until) throws KernelException {
    long now = System.nanoTime();
    for (int place = 0; place < AbiLimits.WATCHERS; place++) {
      long taken = WatchersCodec.deadline(memory, place);
      if (taken < now && WatchersCodec.changeDeadline(memory, place, taken, until)) {
        return place;
      }
    }
    throw new KernelException.Busy(
        new Operation("watch", "connections"),
        Errno.EBUSY.number(),
        "all " + AbiLimits.WATCHERS + " places are taken by others who watch");
  }

  private void setRing(int fd) throws KernelException {
    try (Arena arena = Arena.ofConfined()) {
      KernelException.check(
          Bpf.bpf_map_update_elem(
              rings.fd(),
              arena.allocateFrom(ValueLayout.JAVA_INT, place),
              arena.allocateFrom(ValueLayout.JAVA_INT, fd)),
          new Operation("write", "map " + rings.name()));
    }
  }

  /** Makes the latest deadline at least this one. */
  private static void raise(MemorySegment memory, long deadline) {
    long latest = WatchersCodec.latest(memory);
    while (latest < deadline && !WatchersCodec.changeLatest(memory, latest, deadline)) {
      latest = WatchersCodec.latest(memory);
    }
  }

  /** Makes the latest deadline that of those who still watch. */
  private static void lower(MemorySegment memory) {
    long before;
    long rest;
    do {
      before = WatchersCodec.latest(memory);
      rest = 0;
      for (int other = 0; other < AbiLimits.WATCHERS; other++) {
        rest = Math.max(rest, WatchersCodec.deadline(memory, other));
      }
      if (rest < System.nanoTime()) {
        rest = 0;
      }
    } while (!WatchersCodec.changeLatest(memory, before, rest));
  }

  /**
   * Tells what has happened, after waiting for it if nothing has. To be called at least once a
   * second, or the place is lost.
   *
   * @param waitMillis how long to wait at most, in milliseconds
   * @return how many records there were, those included that this version cannot read
   * @throws KernelException.Busy if the place was lost, because this was not called for too long
   */
  public int poll(int waitMillis, Consumer<ConnectionEvent> to) throws KernelException {
    renew();
    return reader.poll(
        waitMillis,
        (data, at, length) -> {
          if (length == EventCodec.SIZE) {
            EventCodec.connection(data, at).ifPresent(to);
          }
        });
  }

  private void renew() throws KernelException {
    long now = System.nanoTime();
    if (deadline - now > TERM_NANOS - RENEWAL_NANOS) {
      return;
    }
    if (!WatchersCodec.changeDeadline(watchers.memory(), place, deadline, now + TERM_NANOS)) {
      throw new KernelException.Busy(
          new Operation("watch", "connections"),
          Errno.EBUSY.number(),
          "the place was given to somebody else");
    }
    deadline = now + TERM_NANOS;
    raise(watchers.memory(), deadline);
  }

  /** Records that found no room in the buffer since this was opened. */
  public long lost() {
    return WatchersCodec.lost(watchers.memory(), place);
  }

  /**
   * Ends it: nothing more is written when this returns. What was written until then can still be
   * polled for. Idempotent.
   */
  public void leave() {
    if (closed) {
      return;
    }
    closed = true;
    removeRing();
    MemorySegment memory = watchers.memory();
    if (WatchersCodec.changeDeadline(memory, place, deadline, 0)) {
      lower(memory);
    }
    deadline = Long.MAX_VALUE; // nothing is left to renew
  }

  /** The kernel waits for programs that still have it. */
  private void removeRing() {
    if (WatchersCodec.deadline(watchers.memory(), place) != deadline) {
      return; // the place is another's, and so is what is there
    }
    try (Arena arena = Arena.ofConfined()) {
      int result =
          Bpf.bpf_map_delete_elem(rings.fd(), arena.allocateFrom(ValueLayout.JAVA_INT, place));
      if (result < 0 && !Errno.ENOENT.is(result)) {
        log.atWarn()
            .addKeyValue("place", place)
            .addKeyValue("errno", -result)
            .log("cannot give back a ring buffer");
      }
    }
  }

  /** Gives everything back. Idempotent. */
  @Override
  public void close() {
    leave();
    reader.close();
    buffer.close();
    watchers.close();
  }
}
