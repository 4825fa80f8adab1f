// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.observe;

/** The port through which statistics come back from the programs. Any thread may call it. */
public interface StatsSource {
  /** Reads the counters of all CPUs and adds them up. */
  Counters counters();
}
