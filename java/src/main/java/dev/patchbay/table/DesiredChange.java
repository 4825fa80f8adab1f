// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.table;

import dev.patchbay.model.ServicePortKey;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The step from one {@link DesiredState} to the next. A frontend that moves from one Service port
 * to another occurs in the new owner's row and no longer in the old owner's; both rows are in
 * {@code upserted}.
 *
 * @param upserted rows that are new or differ
 * @param removed keys that are gone; disjoint from the keys of {@code upserted}
 * @param wildcards wildcards that are new or mean something else
 * @param unwanted wildcards that are gone; disjoint from the keys of {@code wildcards}
 */
public record DesiredChange(
    List<ServiceRow> upserted,
    Set<ServicePortKey> removed,
    Map<FrontendKey, FrontendValue> wildcards,
    Set<FrontendKey> unwanted) {
  public DesiredChange {
    upserted = List.copyOf(upserted);
    removed = Set.copyOf(removed);
    wildcards = Map.copyOf(wildcards);
    unwanted = Set.copyOf(unwanted);
  }

  public boolean isEmpty() {
    return upserted.isEmpty() && removed.isEmpty() && wildcards.isEmpty() && unwanted.isEmpty();
  }
}
