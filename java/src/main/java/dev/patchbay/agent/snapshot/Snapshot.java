// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.snapshot;

import dev.patchbay.model.ClusterSnapshot;
import dev.patchbay.model.NodeFacts;
import java.util.List;

/**
 * What the agent knew at one moment: enough for a reading command to give names and reasons to what
 * it finds in the pinned maps. Rows, conflicts and explanations are not kept; they follow from this
 * by the same pure functions that the agent used.
 *
 * @param writtenMillis when, in milliseconds since the epoch
 * @param pid process id of the agent that wrote it
 * @param version of Patchbay that wrote it
 * @param node the node that the agent compiles for
 * @param cgroup path of the cgroup that the programs are attached to
 * @param bpfDir path of the directory with the pins
 * @param source where the Services come from, for people: a directory or a cluster
 * @param cluster the Services in force and the problems found
 * @param refusals what did not fit into the maps
 */
public record Snapshot(
    long writtenMillis,
    long pid,
    String version,
    NodeFacts node,
    String cgroup,
    String bpfDir,
    String source,
    ClusterSnapshot cluster,
    List<Refusal> refusals) {
  public Snapshot {
    refusals = List.copyOf(refusals);
  }

  /** The same with other Services and problems. */
  public Snapshot with(ClusterSnapshot other) {
    return new Snapshot(writtenMillis, pid, version, node, cgroup, bpfDir, source, other, refusals);
  }

  /** Whether the same agent says this, with the same settings, for the same node. */
  public boolean isOfSameAgent(Snapshot other) {
    return pid == other.pid
        && version.equals(other.version)
        && node.equals(other.node)
        && cgroup.equals(other.cgroup)
        && bpfDir.equals(other.bpfDir)
        && source.equals(other.source);
  }

  /**
   * A Service port that found no room in the maps.
   *
   * @param servicePort {@link dev.patchbay.model.ServicePortKey#toString()} of it
   * @param reason one sentence without a full stop: which map is full, and its capacity
   */
  public record Refusal(String servicePort, String reason) {}
}
