// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.observe;

import java.util.Map;

/** The port through which the agent's own health is told to whoever exports it. */
public interface HealthStats {
  /** How things stand, and totals since the process began. Any thread may call it. */
  Totals health();

  /**
   * One moment.
   *
   * @param checks by the name of each check that has been made: whether it fails
   * @param incidents by the name of each check: how often it began to fail
   * @param repairs by what was repaired: how often that was done
   * @param driftFound by kind: rows of the maps that somebody else had changed
   * @param driftRepaired rows of any kind that were put right
   * @param audits complete comparisons of the maps with what was written to them
   * @param auditNanos what they took in all, on the thread that writes, in nanoseconds
   * @param canaryRuns connects and datagrams to the reserved addresses
   * @param canaryFailures how many of them did not come back
   * @param canaryNanos what those that did took in all, in nanoseconds
   */
  record Totals(
      Map<String, Boolean> checks,
      Map<String, Long> incidents,
      Map<String, Long> repairs,
      Map<String, Long> driftFound,
      long driftRepaired,
      long audits,
      long auditNanos,
      long canaryRuns,
      long canaryFailures,
      long canaryNanos) {
    public Totals {
      checks = Map.copyOf(checks);
      incidents = Map.copyOf(incidents);
      repairs = Map.copyOf(repairs);
      driftFound = Map.copyOf(driftFound);
    }
  }
}
