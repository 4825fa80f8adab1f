// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.model.ClusterSnapshot;
import dev.patchbay.model.NodeInfo;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.ServiceState;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What a listener knows.
 *
 * @param snapshot all Services and problems
 * @param changed the Services that it was told of last
 * @param nodes all Nodes
 * @param files manifest files
 * @param objects objects in force
 * @param took the time the last change took
 */
record Told(
    ClusterSnapshot snapshot,
    Set<ObjectKey> changed,
    List<NodeInfo> nodes,
    int files,
    int objects,
    Duration took) {
  static final Told NOTHING =
      new Told(ClusterSnapshot.EMPTY, Set.of(), List.of(), 0, 0, Duration.ZERO);

  /** What it knows when it was told more. */
  Told then(Loaded next) {
    Set<ObjectKey> keys = new HashSet<>(next.update().removed());
    next.update().upserted().stream().map(ServiceState::key).forEach(keys::add);
    return new Told(
        snapshot.with(next.update()),
        keys,
        next.update().nodes(),
        next.files(),
        next.objects(),
        next.took());
  }
}
