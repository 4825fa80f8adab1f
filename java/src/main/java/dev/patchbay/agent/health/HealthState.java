// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.health;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All checks and how they stand. Logs a line when one turns, not while it stays.
 *
 * <p>A check that began to fail is red for {@link #HOLD_MILLIS} at least, also if it was repaired
 * at once: so whoever asks once in a while hears of it. Exceptions are {@link Check#START}, {@link
 * Check#APPLY} and {@link Check#CAPACITY}, which go by what was done last.
 *
 * <p>Any thread may call.
 */
public final class HealthState {
  private static final Logger log = LoggerFactory.getLogger(HealthState.class);

  /** The time between two probes of a kubelet, if nobody chose another. */
  static final long HOLD_MILLIS = 10_000;

  /** How long the owner may make no progress before only a new process can help. */
  static final long STUCK_MILLIS = 60_000;

  private static final class Entry {
    Status status = Status.OK;
    long since;
    String detail = "";
    long incidents;
  }

  private final LongSupplier clock;
  private final Map<Check, Entry> entries = new EnumMap<>(Check.class);
  private Runnable listener = () -> {};

  /**
   * Nothing is known but that the agent has not started yet.
   *
   * @param clock milliseconds since the epoch
   */
  public HealthState(LongSupplier clock) {
    this.clock = clock;
    Entry start = entry(Check.START);
    start.status = Status.FAILING;
    start.detail = "waiting for the source";
  }

  private Entry entry(Check check) {
    return entries.computeIfAbsent(
        check,
        _ -> {
          Entry entry = new Entry();
          entry.since = clock.getAsLong();
          return entry;
        });
  }

  /** A check passes. */
  public synchronized void ok(Check check, String detail) {
    Entry entry = entry(check);
    if (entry.status.red()) {
      if (holds(check) && clock.getAsLong() - entry.since < HOLD_MILLIS) {
        entry.status = Status.MENDED;
        return;
      }
      pass(check, entry);
    } else if (entry.status == Status.NOT_RUN) {
      turn(entry, Status.OK);
    }
    entry.detail = detail;
  }

  /** A check fails. */
  public synchronized void failing(Check check, String detail) {
    Entry entry = entry(check);
    if (entry.status != Status.FAILING) {
      turn(entry, Status.FAILING);
      entry.incidents++;
      if (check.gates()) {
        log.atError()
            .addKeyValue("check", check.label())
            .log("health check {} fails: {}", check.label(), detail);
      } else {
        log.atWarn()
            .addKeyValue("check", check.label())
            .log("health check {} fails, readiness is not affected: {}", check.label(), detail);
      }
    }
    entry.detail = detail;
  }

  /** What made a check fail has been repaired. */
  public synchronized void mended(Check check, String how) {
    Entry entry = entry(check);
    if (entry.status == Status.FAILING) {
      listener.run();
      entry.status = Status.MENDED; // since the failure began, which is what it is held for
      entry.detail = how + "; it was: " + entry.detail;
      log.atWarn()
          .addKeyValue("check", check.label())
          .log("health check {} repaired: {}", check.label(), how);
    }
  }

  /** A check is not made. */
  public synchronized void notRun(Check check, String why) {
    Entry entry = entry(check);
    if (entry.status != Status.NOT_RUN) {
      turn(entry, Status.NOT_RUN);
      log.atInfo()
          .addKeyValue("check", check.label())
          .log("health check {} is not made: {}", check.label(), why);
    }
    entry.detail = why;
  }

  /** Has somebody told when a check turns; he is told under the lock of this object. */
  synchronized void onTurn(Runnable told) {
    listener = told;
  }

  private void turn(Entry entry, Status status) {
    listener.run();
    entry.status = status;
    entry.since = clock.getAsLong();
  }

  private void pass(Check check, Entry entry) {
    long millis = clock.getAsLong() - entry.since;
    turn(entry, Status.OK);
    if (check != Check.START) {
      log.atInfo()
          .addKeyValue("check", check.label())
          .addKeyValue("ms", millis)
          .log("health check {} passes again after {} ms", check.label(), millis);
    }
  }

  private static boolean holds(Check check) {
    return switch (check) {
      case START, APPLY, CAPACITY, SOURCE -> false;
      case OWNER, PROGRAMS, CGROUP_ROOT, ROWS, CANARY_IPV4, CANARY_IPV6 -> true;
    };
  }

  /** All checks that have been made, in a fixed order. */
  public synchronized List<Result> results() {
    List<Result> results = new ArrayList<>();
    entries.forEach(
        (check, entry) -> {
          if (entry.status == Status.MENDED && clock.getAsLong() - entry.since >= HOLD_MILLIS) {
            pass(check, entry);
          }
          results.add(
              new Result(check.label(), check.gates(), entry.status, entry.since, entry.detail));
        });
    return results;
  }

  /** Whether only a new process can help. */
  public synchronized boolean stuck() {
    Entry owner = entries.get(Check.OWNER);
    return owner != null
        && owner.status == Status.FAILING
        && clock.getAsLong() - owner.since >= STUCK_MILLIS;
  }

  /** How often each check began to fail, by its name. */
  public synchronized Map<String, Long> incidents() {
    Map<String, Long> incidents = new TreeMap<>();
    entries.forEach((check, entry) -> incidents.put(check.label(), entry.incidents));
    return incidents;
  }
}
