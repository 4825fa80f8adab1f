// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.watch;

import dev.patchbay.agent.watch.Connection.Outcome;
import dev.patchbay.model.Protocol;
import dev.patchbay.observe.ConnectionEvent;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Puts the events of a connection together. A TCP connection is told when it was established or has
 * failed, and once more before that if it takes longer than a second. All else is told at once.
 *
 * <p>Reads no clock. For one thread.
 */
public final class Joiner {
  /** How long a connection is kept back in the hope of its outcome. */
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** An outcome that comes later than this is told without its beginning. */
  private static final long MEMORY_NANOS = TimeUnit.MINUTES.toNanos(5);

  /** Beyond this many the oldest are forgotten. */
  private static final int MOST = 100_000;

  private static final class Begun {
    final ConnectionEvent call;
    boolean told;

    Begun(ConnectionEvent call) {
      this.call = call;
    }
  }

  private final Consumer<Connection> to;

  /** By socket, in the order of their calls. */
  private final LinkedHashMap<Long, Begun> begun = new LinkedHashMap<>();

  /**
   * Nothing has happened yet.
   *
   * @param to hears of each connection
   */
  public Joiner(Consumer<Connection> to) {
    this.to = to;
  }

  /** Takes an event. */
  public void accept(ConnectionEvent event) {
    switch (event.kind()) {
      case CONNECT -> connect(event);
      case SEND -> to.accept(Connection.of(Outcome.SENT, event));
      case REFUSED -> to.accept(Connection.of(Outcome.REFUSED, event));
      case ESTABLISHED -> ended(Outcome.ESTABLISHED, event);
      case FAILED -> ended(Outcome.FAILED, event);
    }
  }

  private void connect(ConnectionEvent event) {
    if (event.protocol() != Protocol.TCP) {
      to.accept(Connection.of(Outcome.CONNECTED, event));
      return;
    }
    forget(event.socket());
    begun.put(event.socket(), new Begun(event));
    if (begun.size() > MOST) {
      forget(begun.firstEntry().getKey());
    }
  }

  private void forget(long socket) {
    Begun one = begun.remove(socket);
    if (one != null && !one.told) {
      to.accept(Connection.of(Outcome.PENDING, one.call));
    }
  }

  private void ended(Outcome outcome, ConnectionEvent end) {
    Begun one = begun.remove(end.socket());
    to.accept(one == null ? Connection.of(outcome, end) : Connection.of(outcome, one.call, end));
  }

  /**
   * Tells of those that take long.
   *
   * @param nowNanos of {@code CLOCK_MONOTONIC}
   */
  public void tick(long nowNanos) {
    Iterator<Map.Entry<Long, Begun>> all = begun.entrySet().iterator();
    while (all.hasNext()) {
      Begun one = all.next().getValue();
      long age = nowNanos - one.call.nanos();
      if (age < PATIENCE_NANOS) {
        return;
      }
      if (!one.told) {
        one.told = true;
        to.accept(Connection.of(Outcome.PENDING, one.call));
      }
      if (age > MEMORY_NANOS) {
        all.remove();
      }
    }
  }

  /** Tells of all whose outcome is not known, because nobody watches any longer. */
  public void end() {
    begun.values().stream()
        .filter(one -> !one.told)
        .forEach(one -> to.accept(Connection.of(Outcome.PENDING, one.call)));
    begun.clear();
  }
}
