// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import dev.patchbay.kernel.Dataplane;
import dev.patchbay.kernel.KernelException;
import dev.patchbay.kernel.SocketDestroyer;
import dev.patchbay.kernel.StaleSockets;
import dev.patchbay.model.Protocol;
import dev.patchbay.observe.StaleSocket;
import dev.patchbay.observe.StaleSocketCounters;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Destroys sockets whose backend is gone, on a thread of its own: once after the start, because
 * backends may have left while no agent ran, and whenever the owner says that some did. Requests
 * that arrive meanwhile are served together by the next sweep.
 */
final class SocketCleaner implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(SocketCleaner.class);

  /** Scans to one sweep. The last has to find nothing, and sockets come and go meanwhile. */
  private static final int MOST_SCANS = 6;

  /** How long an exchange may go on with a backend that left. */
  private static final long GRACE_NANOS = TimeUnit.MILLISECONDS.toNanos(40);

  /** After a sweep comes a pause of so many times its length: a fifth of one CPU at most. */
  private static final int REST = 4;

  private static final long SHORTEST_REST_NANOS = TimeUnit.MILLISECONDS.toNanos(5);
  private static final long LONGEST_REST_NANOS = TimeUnit.SECONDS.toNanos(2);
  private static final long FIRST_RETRY_MILLIS = 1000;
  private static final long LAST_RETRY_MILLIS = 60_000;
  private static final long CLOSE_MILLIS = 1500;

  private final @Nullable StaleSockets sockets;
  private final StaleSocketCounters counters = new StaleSocketCounters();
  private @Nullable Thread thread;
  private Set<String> told = Set.of();
  private boolean requested;

  /** How long the last sweep did nothing but wait; its thread. */
  private long graceNanos;

  private volatile boolean closed;

  private SocketCleaner(@Nullable StaleSockets sockets) {
    this.sockets = sockets;
  }

  /** Without effect, and saying so in the log, where the kernel cannot do it. */
  static SocketCleaner open(Dataplane dataplane) {
    try {
      return new SocketCleaner(dataplane.staleSockets());
    } catch (KernelException cannot) {
      log.atWarn()
          .addKeyValue("error", cannot.getMessage())
          .log("sockets whose backend leaves will not be destroyed");
      return new SocketCleaner(null);
    }
  }

  /** What became of them. */
  StaleSocketCounters counters() {
    return counters;
  }

  /** Starts the thread, with a first sweep. */
  void start() {
    if (sockets != null) {
      request();
      thread = Thread.ofPlatform().name("patchbay-sockets").daemon().start(this::loop);
    }
  }

  /** Asks for a sweep that begins after this call; any thread. */
  synchronized void request() {
    requested = true;
    notifyAll();
  }

  private void loop() {
    try {
      long retryMillis = FIRST_RETRY_MILLIS;
      boolean failing = false;
      while (take(failing ? retryMillis : 0)) {
        long start = System.nanoTime();
        retryMillis = failing ? Math.min(2 * retryMillis, LAST_RETRY_MILLIS) : FIRST_RETRY_MILLIS;
        graceNanos = 0;
        failing = !sweep();
        rest(REST * (System.nanoTime() - start - graceNanos));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Waits for a request, or until the time is over.
   *
   * @param millis how long at most; 0: without limit
   * @return false once closed
   */
  private synchronized boolean take(long millis) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    while (!requested && !closed) {
      long left = end - System.nanoTime();
      if (millis == 0) {
        wait();
      } else if (left > 0) {
        TimeUnit.NANOSECONDS.timedWait(this, left);
      } else {
        break;
      }
    }
    requested = false;
    return !closed;
  }

  private synchronized void rest(long nanos) throws InterruptedException {
    long wanted = Math.clamp(nanos, SHORTEST_REST_NANOS, LONGEST_REST_NANOS);
    Workers.rest(this, wanted, () -> closed);
  }

  /**
   * Destroys all that it finds twice, {@link #GRACE_NANOS} apart, until a scan finds nothing that
   * can be destroyed. One thread at a time.
   *
   * @return false if it may help to try again, without anything being changed
   */
  boolean sweep() {
    StaleSockets source = sockets;
    if (source == null) {
      return true;
    }
    Map<Protocol, Long> destroyed = new TreeMap<>();
    Map<String, Long> left = new TreeMap<>();
    long start = System.nanoTime();
    int scans = 0;
    boolean retry = false;
    StaleSuspects suspects = new StaleSuspects();
    try {
      boolean again = true;
      while (again && scans < MOST_SCANS && !closed) {
        scans++;
        long begun = System.nanoTime();
        SocketDestroyer destroyer = new SocketDestroyer();
        scan(source, suspects, destroyer);
        long progress = destroyer.gone();
        for (Protocol protocol : Protocol.values()) {
          long count = destroyer.destroyed(protocol);
          counters.destroyed(protocol, count);
          destroyed.merge(protocol, count, Long::sum);
          progress += count;
        }
        boolean suspected = suspects.endScan();
        again = progress > 0 || suspected;
        left = new TreeMap<>(destroyer.unreachable());
        left.putAll(destroyer.failed());
        retry = !destroyer.failed().isEmpty() || again;
        if (suspected) {
          grace(begun + GRACE_NANOS);
        }
      }
    } catch (KernelException refused) {
      left = new TreeMap<>(Map.of(refused.getMessage(), 0L));
      retry = true;
    }
    report(destroyed, left, scans, System.nanoTime() - start);
    return !retry;
  }

  /** Waits until then, or until closed. */
  private synchronized void grace(long until) {
    long begun = System.nanoTime();
    try {
      Workers.rest(this, until - begun, () -> closed);
    } catch (InterruptedException e) {
      closed = true;
      Thread.currentThread().interrupt();
    }
    graceNanos += System.nanoTime() - begun;
  }

  private void scan(StaleSockets source, StaleSuspects suspects, SocketDestroyer destroyer)
      throws KernelException {
    Sink sink = new Sink(suspects, destroyer);
    long start = System.nanoTime();
    source.scan(sink);
    counters.scanned(System.nanoTime() - start - sink.nanos, sink.found);
  }

  /** Passes on what is found, and knows how much that was and how long it took. */
  private final class Sink implements Consumer<List<StaleSocket>> {
    private final StaleSuspects suspects;
    private final SocketDestroyer destroyer;
    private long found;
    private long nanos;

    Sink(StaleSuspects suspects, SocketDestroyer destroyer) {
      this.suspects = suspects;
      this.destroyer = destroyer;
    }

    @Override
    public void accept(List<StaleSocket> stale) {
      long start = System.nanoTime();
      found += stale.size();
      if (!closed) {
        destroyer.destroy(suspects.due(stale));
      }
      nanos += System.nanoTime() - start;
    }
  }

  private void report(
      Map<Protocol, Long> destroyed, Map<String, Long> left, int scans, long nanos) {
    long tcp = destroyed.getOrDefault(Protocol.TCP, 0L);
    long udp = destroyed.getOrDefault(Protocol.UDP, 0L);
    if (tcp + udp > 0) {
      log.atInfo()
          .addKeyValue("udp", udp)
          .addKeyValue("tcp", tcp)
          .addKeyValue("scans", scans)
          .addKeyValue("micros", nanos / 1000)
          .log("destroyed sockets whose backend is gone");
    }
    left.forEach(
        (reason, count) -> {
          counters.failed(count);
          if (!told.contains(reason)) {
            log.atWarn()
                .addKeyValue("sockets", count)
                .log("cannot destroy sockets whose backend is gone: {}", reason);
          }
        });
    told = new TreeSet<>(left.keySet());
  }

  /** Ends the thread and waits for it for a short while. */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      notifyAll();
    }
    if (thread != null) {
      Workers.join(thread, Duration.ofMillis(CLOSE_MILLIS));
    }
    if (sockets != null) {
      sockets.close();
    }
  }
}
