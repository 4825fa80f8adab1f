// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.reconcile;

import dev.patchbay.table.Backend;
import dev.patchbay.table.ServiceSettings;
import dev.patchbay.table.ServiceWord;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One pass that compares all rows in the maps with what they are believed to hold, some at a time.
 * Between two steps the owner may write: each step compares with what is believed then. Owner
 * thread.
 */
final class Audit {
  /** Wide enough that a step is worth its system call, and short for whoever waits behind it. */
  static final int STEP = 512;

  private final RowReader reader;
  private final RowReader.FrontendScan scan;
  private final Frontends frontends;
  private final Programmed programmed;
  private final Allocation allocation;
  private final @Nullable Slot[] holders;
  private final List<Drift> found = new ArrayList<>();
  private boolean scanning = true;
  private int index;

  Audit(
      RowReader reader,
      Frontends frontends,
      Programmed programmed,
      Allocation allocation,
      @Nullable Slot[] holders) {
    this.reader = reader;
    this.scan = reader.frontends();
    this.frontends = frontends;
    this.programmed = programmed;
    this.allocation = allocation;
    this.holders = holders;
    frontends.beginAudit();
  }

  /** What was found so far. */
  List<Drift> found() {
    return found;
  }

  /**
   * Compares about {@link #STEP} rows.
   *
   * @return whether there are more
   */
  boolean step() throws StoreException {
    if (scanning) {
      scanning = scan.next(STEP, (key, value) -> frontends.audit(key, value, found));
      if (!scanning) {
        frontends.endAudit(found);
        if (scan.foreignKeys() > 0) {
          found.add(
              new Drift(
                  Drift.Kind.KEY_FOREIGN,
                  "frontends holds " + scan.foreignKeys() + " keys that nobody can look up"));
        }
      }
      return true;
    }
    for (int rows = 0; index < holders.length && rows < STEP; index++) {
      Slot slot = holders[index];
      if (slot != null && !allocation.isDamaged(index)) {
        rows += 1 + compare(slot, index);
      }
    }
    return index < holders.length;
  }

  /** How many backends were compared. */
  private int compare(Slot slot, int at) {
    ServiceWord word = programmed.word(at);
    ServiceSettings settings = programmed.settings(at);
    if (!reader.holds(at, word, settings)) {
      found.add(
          new Drift(
              Drift.Kind.SERVICE_ALTERED,
              "services entry " + at + " of " + slot.key + " is not what was published"));
      return 0;
    }
    List<Backend> set = programmed.set(at);
    if (set == null || set.isEmpty()) {
      return 0;
    }
    if (!reader.holds(word.base(), set)) {
      found.add(
          new Drift(
              Drift.Kind.BACKENDS_ALTERED,
              "backends of " + slot.key + " from " + word.base() + " on are not what was written"));
    }
    return set.size();
  }
}
