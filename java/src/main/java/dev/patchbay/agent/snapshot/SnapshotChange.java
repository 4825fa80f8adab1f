// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.snapshot;

import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Problem;
import dev.patchbay.model.ServiceState;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What differs from the snapshot before, of the same agent for the same node.
 *
 * @param writtenMillis when, in milliseconds since the epoch
 * @param refusals all that does not fit into the maps now; null if it is the same as before
 * @param problems all that is wrong with the input now; null if it is the same as before
 * @param removed the Services that are gone, known before or not
 * @param upserted the Services that are new or differ, each once; none of them in {@code removed}
 */
public record SnapshotChange(
    long writtenMillis,
    @Nullable List<Snapshot.Refusal> refusals,
    @Nullable List<Problem> problems,
    List<ObjectKey> removed,
    List<ServiceState> upserted) {
  public SnapshotChange {
    refusals = refusals == null ? null : List.copyOf(refusals);
    problems = problems == null ? null : List.copyOf(problems);
    removed = List.copyOf(removed);
    upserted = List.copyOf(upserted);
  }
}
