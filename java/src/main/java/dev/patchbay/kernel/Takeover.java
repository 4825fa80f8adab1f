// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
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
  private final boolean underWay;
  private final List<Pins> sharing;
  private final CountDownLatch closed = new CountDownLatch(1);
  private @Nullable Thread waiting;

  /**
   * Of what was found at the start.
   *
   * @param underWay whether the programs of another version ran
   * @param sharing those that work with the same maps of what sockets remember
   */
  Takeover(Pins pins, boolean underWay, List<Pins> sharing) {
    this.pins = pins;
    this.underWay = underWay;
    this.sharing = List.copyOf(sharing);
  }

  /** Whether the programs of another version ran. */
  boolean underWay() {
    return underWay;
  }

  /** Versions whose links change their programs and go on. */
  List<Pins> sharing() {
    return sharing;
  }

  /**
   * Removes all other versions: what translates requests now, what translates replies after {@code
   * grace} if sockets may still wait for some. An agent that ends before leaves that to the next.
   */
  void finish(Duration grace) throws KernelException {
    List<Pins> later = new ArrayList<>();
    for (Pins other : pins.others()) {
      if (!sharing.contains(other) && translatesReplies(other)) {
        tell("requests", Cleanup.retireRequests(other), other);
        later.add(other);
      } else {
        tell("all", Cleanup.retire(other), other);
      }
    }
    if (!later.isEmpty() && waiting == null) {
      Thread thread = new Thread(() -> retireAfter(grace, later), "patchbay-retire");
      thread.setDaemon(true);
      waiting = thread;
      thread.start();
    }
  }

  private static boolean translatesReplies(Pins other) {
    return Arrays.stream(Hook.values())
        .anyMatch(hook -> hook.forReplies() && Files.exists(other.link(hook)));
  }

  private void retireAfter(Duration grace, List<Pins> others) {
    try {
      if (!closed.await(grace.toMillis(), TimeUnit.MILLISECONDS)) {
        for (Pins other : others) {
          tell("replies", Cleanup.retire(other), other);
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } catch (KernelException refused) {
      log.atWarn()
          .addKeyValue("error", refused.getMessage())
          .log("another version stays until the next start");
    }
  }

  private static void tell(String which, CleanupReport report, Pins other) {
    log.atInfo()
        .addKeyValue("programs", which)
        .addKeyValue("removed", report.removed().size())
        .log("replaced what {} held", other.version());
    report.left().forEach(left -> log.atWarn().addKeyValue("what", left).log("left alone"));
  }

  /** What still waits is left to the next agent. Idempotent. */
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
