// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The end of all other versions of the ABI, once the programs of this one run.
 *
 * <p>One thread calls; another one, of this object's own, waits for the end of the time that the
 * last programs of a version are granted.
 */
final class Takeover implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Takeover.class);

  private final Pins pins;
  private final Optional<Pins> from;
  private final List<Pins> sharing;
  private final CountDownLatch closed = new CountDownLatch(1);
  private @Nullable Thread waiting;

  /**
   * Of what was found at the start.
   *
   * @param from the version whose programs ran; empty if those of this one did, or none
   * @param sharing those that work with the same maps of what sockets remember
   */
  Takeover(Pins pins, Optional<Pins> from, List<Pins> sharing) {
    this.pins = pins;
    this.from = from;
    this.sharing = List.copyOf(sharing);
  }

  boolean underWay() {
    return from.isPresent();
  }

  /** Versions whose links change their programs and go on. */
  List<Pins> sharing() {
    return sharing;
  }

  /**
   * Removes all other versions: what translates requests now, what translates replies after {@code
   * grace} if sockets may still wait for some.
   */
  void finish(Duration grace) throws KernelException {
    for (Pins other : pins.others()) {
      boolean last = from.equals(Optional.of(other)) && !sharing.contains(other);
      if (last && waiting == null) {
        tell("requests", Cleanup.retireRequests(other), other);
        Thread thread = new Thread(() -> retireAfter(grace, other), "patchbay-retire");
        thread.setDaemon(true);
        waiting = thread;
        thread.start();
      } else if (!last) {
        tell("all", Cleanup.retire(other), other);
      }
    }
  }

  private void retireAfter(Duration grace, Pins other) {
    try {
      if (!closed.await(grace.toMillis(), TimeUnit.MILLISECONDS)) {
        tell("replies", Cleanup.retire(other), other);
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } catch (KernelException refused) {
      log.warn("{} stays until the next start: {}", other.version(), refused.getMessage());
    }
  }

  private static void tell(String which, CleanupReport report, Pins other) {
    log.atInfo()
        .addKeyValue("programs", which)
        .addKeyValue("removed", report.removed().size())
        .log("replaced what {} held", other.version());
    report.left().forEach(left -> log.warn("left alone: {}", left));
  }

  /** What still waits is left to the next start. Idempotent. */
  @Override
  public void close() {
    closed.countDown();
    Thread thread = waiting;
    if (thread != null) {
      try {
        thread.join();
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
