// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import dev.patchbay.reconcile.DataplaneStore;
import dev.patchbay.reconcile.StoreException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Waits for the readers of what was unpublished, on a thread of its own, so that the owner never
 * has to. Marks that arrive while it waits are served together by the next wait.
 */
final class Reclaimer implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Reclaimer.class);

  /** Between two waits, so that a storm of changes shares one. */
  private static final long REST_MILLIS = 50;

  private final DataplaneStore store;
  private final Inbox inbox;
  private final Thread thread;
  private long wanted = -1;
  private boolean closed;
  private boolean failing;

  Reclaimer(DataplaneStore store, Inbox inbox) {
    this.store = store;
    this.inbox = inbox;
    thread = Thread.ofPlatform().name("patchbay-reclaimer").daemon().start(this::loop);
  }

  /** Asks to be told when all readers that run now have ended. Called by the owner. */
  synchronized void request(long mark) {
    wanted = Math.max(wanted, mark);
    notifyAll();
  }

  private void loop() {
    try {
      long mark = take();
      while (mark >= 0) {
        if (await()) {
          inbox.reclaimed(mark);
        }
        rest();
        mark = take();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** The newest mark that somebody waits for; negative once closed. */
  private synchronized long take() throws InterruptedException {
    while (wanted < 0 && !closed) {
      wait();
    }
    long mark = closed ? -1 : wanted;
    wanted = -1;
    return mark;
  }

  private synchronized void rest() throws InterruptedException {
    Workers.rest(this, TimeUnit.MILLISECONDS.toNanos(REST_MILLIS), () -> closed);
  }

  private boolean await() {
    try {
      store.awaitReaders();
      failing = false;
      return true;
    } catch (StoreException e) {
      if (!failing) {
        log.atWarn()
            .addKeyValue("error", e.getMessage())
            .log("cannot wait for readers; rows that are no longer used stay reserved");
      }
      failing = true;
      return false;
    }
  }

  /** Ends the thread and waits for it, at most a second. */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      notifyAll();
    }
    Workers.join(thread, Duration.ofSeconds(1));
  }
}
