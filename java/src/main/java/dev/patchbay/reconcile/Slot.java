// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.reconcile;

import dev.patchbay.model.ServicePortKey;
import dev.patchbay.table.ServiceRow;
import org.jspecify.annotations.Nullable;

/** A wanted row and where it is. Owner thread. */
final class Slot {
  static final int NOWHERE = -1;

  final ServicePortKey key;
  ServiceRow row;

  /** The index that it holds, or {@link #NOWHERE}. */
  int index = NOWHERE;

  /** Whether the set behind its index was programmed for a Service that is gone. */
  boolean inherited;

  /** Why it is not programmed as wanted; null if it is, or if that was not tried yet. */
  @Nullable Refusal refusal;

  Slot(ServiceRow row) {
    this.key = row.key();
    this.row = row;
  }
}
