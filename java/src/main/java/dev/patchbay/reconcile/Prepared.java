// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.reconcile;

import dev.patchbay.table.Backend;
import dev.patchbay.table.FrontendKey;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A plan, and what follows from it once it has been carried out.
 *
 * @param plan the plan
 * @param sets the backends that will be behind each index the plan publishes
 * @param moves rows that will hold another index than now
 * @param refusals rows that do not fit
 * @param deferred rows that may fit after this plan, or once readers have ended
 * @param unsettled frontends to look at again next time
 * @param refusedWildcards wildcards for which there is no room
 * @param takenIndexes indexes that the plan took
 * @param takenRanges ranges that the plan took
 */
record Prepared(
    Plan plan,
    Map<Integer, List<Backend>> sets,
    Map<Slot, Integer> moves,
    Map<Slot, Refusal> refusals,
    Set<Slot> deferred,
    Set<FrontendKey> unsettled,
    Set<FrontendKey> refusedWildcards,
    List<Integer> takenIndexes,
    List<BackendRange> takenRanges) {}
