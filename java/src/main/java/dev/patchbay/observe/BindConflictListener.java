// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.observe;

/** The port through which refused binds come back from the programs. */
@FunctionalInterface
public interface BindConflictListener {
  /**
   * Hears of one refused bind. Called by the reader's thread, one at a time, in the order in which
   * they happened on each CPU; while it runs no others are read, and what does not fit into the
   * kernel's buffer meanwhile is lost and counted, see {@link Counters#eventsLost}.
   */
  void refused(BindConflict conflict);
}
