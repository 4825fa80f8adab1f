// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.abi.EventCodec;
import dev.patchbay.observe.BindConflict;
import dev.patchbay.observe.BindConflictListener;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads the ring buffer {@code events}, on a thread of its own. */
final class EventReader implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(EventReader.class);

  /** How long closing waits at most for a thread that cannot be woken up, in milliseconds. */
  private static final int WAIT_MILLIS = 200;

  private final RingReader ring;
  private final BindConflictListener listener;
  private final @Nullable WakeUp wakeUp;
  private @Nullable Thread thread;
  private volatile boolean stopped;

  private EventReader(RingReader ring, BindConflictListener listener) {
    this.ring = ring;
    this.listener = listener;
    wakeUp = WakeUp.open().orElse(null);
  }

  /** Maps {@code map} into memory; it must stay open until this is closed. */
  static EventReader open(BpfMap map, BindConflictListener listener) throws KernelException {
    return new EventReader(RingReader.open(map), listener);
  }

  /** Reads on a thread of its own until this is closed. */
  void start() {
    thread = Thread.ofPlatform().name("patchbay-ring").daemon().start(this::run);
  }

  private void run() {
    boolean failing = false;
    while (!stopped) {
      try {
        if (wakeUp == null) {
          poll(WAIT_MILLIS);
        } else {
          ring.poll(wakeUp, this::deliver);
        }
        failing = false;
      } catch (KernelException | RuntimeException failed) {
        if (!failing) {
          log.atError()
              .addKeyValue("error", failed.getMessage())
              .log("events cannot be read, trying again");
        }
        failing = true;
        rest();
      }
    }
  }

  private static void rest() {
    try {
      Thread.sleep(WAIT_MILLIS);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Delivers what is there, after waiting for something if nothing is. One thread at a time.
   *
   * @param waitMillis how long to wait at most, in milliseconds
   * @return how many records there were
   */
  int poll(int waitMillis) throws KernelException {
    return ring.poll(waitMillis, this::deliver);
  }

  private void deliver(MemorySegment data, long at, int length) {
    Optional<BindConflict> conflict =
        length == EventCodec.SIZE ? EventCodec.bindConflict(data, at) : Optional.empty();
    conflict.ifPresentOrElse(
        this::deliver, () -> log.debug("an event of {} bytes that nobody reads", length));
  }

  private void deliver(BindConflict conflict) {
    try {
      listener.refused(conflict);
    } catch (RuntimeException failed) {
      log.atError().addKeyValue("event", conflict).setCause(failed).log("cannot deliver an event");
    }
  }

  /** Waits for a delivery that is under way; idempotent. Not for the listener to call. */
  @Override
  public void close() {
    stopped = true;
    if (thread != null) {
      while (wakeUp != null && thread.isAlive() && !wakeUp.wake()) {
        rest(); // the kernel has no memory for a message of 16 bytes: it will have
      }
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
    ring.close();
    if (wakeUp != null) {
      wakeUp.close();
    }
  }
}
