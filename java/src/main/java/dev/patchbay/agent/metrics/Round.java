// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.metrics;

import dev.patchbay.compile.NoLocalEndpoints;
import dev.patchbay.compile.Rejection;
import dev.patchbay.model.ClusterSnapshot;
import dev.patchbay.model.Problem;
import dev.patchbay.model.SourceChanges;
import dev.patchbay.reconcile.ApplyReport;
import dev.patchbay.reconcile.Refusal;
import java.util.Collection;
import java.util.List;
import java.util.function.Supplier;

/**
 * One round of the owner: what it took from its sources, and what became of it. Immutable.
 *
 * @param full whether all Services were looked at, not only those that changed
 * @param compileNanos how long compilation took
 * @param nanos how long it took from the moment the owner saw the work to the end of the apply
 * @param report what was applied
 * @param changes what the round stands for
 * @param problems what is wrong with the input now
 * @param rejections what compilation could not grant
 * @param refusals what does not fit the maps
 * @param noLocalEndpoints what the policy {@code Local} leaves without an endpoint here
 * @param cluster makes a copy of what the source has told; any thread
 */
public record Round(
    boolean full,
    long compileNanos,
    long nanos,
    ApplyReport report,
    SourceChanges changes,
    List<Problem> problems,
    List<Rejection> rejections,
    Collection<Refusal> refusals,
    NoLocalEndpoints noLocalEndpoints,
    Supplier<ClusterSnapshot> cluster) {
  public Round {
    refusals = List.copyOf(refusals);
  }
}
