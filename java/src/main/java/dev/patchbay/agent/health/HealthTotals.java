// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.health;

import dev.patchbay.observe.HealthStats;
import dev.patchbay.reconcile.Drift;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/** Counts what the checks find and repair. Any thread may call. */
final class HealthTotals implements HealthStats {
  private final HealthState state;
  private final Map<String, LongAdder> repairs = new ConcurrentHashMap<>();
  private final Map<String, LongAdder> drift = new ConcurrentHashMap<>();
  private final LongAdder driftRepaired = new LongAdder();
  private final LongAdder audits = new LongAdder();
  private final LongAdder auditNanos = new LongAdder();
  private final LongAdder canaryRuns = new LongAdder();
  private final LongAdder canaryFailures = new LongAdder();
  private final LongAdder canaryNanos = new LongAdder();

  HealthTotals(HealthState state) {
    this.state = state;
    for (Drift.Kind kind : Drift.Kind.values()) {
      drift.put(kind.label(), new LongAdder());
    }
    for (Check check : new Check[] {Check.PROGRAMS, Check.ROWS}) {
      repairs.put(check.label(), new LongAdder());
    }
  }

  void repaired(Check check) {
    repairs.computeIfAbsent(check.label(), _ -> new LongAdder()).increment();
  }

  void drifted(Drift.Kind kind) {
    drift.computeIfAbsent(kind.label(), _ -> new LongAdder()).increment();
  }

  void driftRepaired(int rows) {
    driftRepaired.add(rows);
  }

  void audited(long nanos) {
    audits.increment();
    auditNanos.add(nanos);
  }

  void canary(boolean good, long nanos) {
    canaryRuns.increment();
    if (good) {
      canaryNanos.add(nanos);
    } else {
      canaryFailures.increment();
    }
  }

  @Override
  public Totals health() {
    Map<String, Boolean> checks = new TreeMap<>();
    for (Result result : state.results()) {
      if (result.status() != Status.NOT_RUN) {
        checks.put(result.name(), result.status().red());
      }
    }
    return new Totals(
        checks,
        state.incidents(),
        sums(repairs),
        sums(drift),
        driftRepaired.sum(),
        audits.sum(),
        auditNanos.sum(),
        canaryRuns.sum(),
        canaryFailures.sum(),
        canaryNanos.sum());
  }

  private static Map<String, Long> sums(Map<String, LongAdder> adders) {
    Map<String, Long> sums = new TreeMap<>();
    adders.forEach((name, adder) -> sums.put(name, adder.sum()));
    return sums;
  }
}
