// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.model;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * All Services known at one moment, with their endpoints, and what is wrong with the input.
 *
 * @param services by key; immutable
 * @param problems sorted; immutable
 */
public record ClusterSnapshot(Map<ObjectKey, ServiceState> services, List<Problem> problems) {
  public static final ClusterSnapshot EMPTY = new ClusterSnapshot(Map.of(), List.of());

  public ClusterSnapshot {
    services = Map.copyOf(services);
    problems = List.copyOf(problems);
  }

  /** What is known after an update; makes a copy of all that is known. */
  public ClusterSnapshot with(SourceUpdate update) {
    Map<ObjectKey, ServiceState> all = new HashMap<>(services);
    update.removed().forEach(all::remove);
    update.upserted().forEach(state -> all.put(state.key(), state));
    return new ClusterSnapshot(all, update.problems());
  }
}
