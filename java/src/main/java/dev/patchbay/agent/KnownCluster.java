// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import dev.patchbay.model.ClusterSnapshot;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Problem;
import dev.patchbay.model.ServiceState;
import dev.patchbay.model.SourceUpdate;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * What the source has told so far. The owner writes it, any thread reads it; while changes come in,
 * Services of two moments may meet in what is read, each of them whole.
 */
final class KnownCluster {
  private final ConcurrentHashMap<ObjectKey, ServiceState> services = new ConcurrentHashMap<>();
  private volatile List<Problem> problems = List.of();

  /** Takes an update in; the owner's thread only. */
  void keep(SourceUpdate update) {
    update.upserted().forEach(state -> services.put(state.key(), state));
    update.removed().forEach(services::remove);
    problems = update.problems();
  }

  /** All Services; a view. */
  Collection<ServiceState> services() {
    return services.values();
  }

  /** A Service as it was told last; null if there is none. */
  @Nullable ServiceState service(ObjectKey key) {
    return services.get(key);
  }

  /** What is wrong with the input; the same list as long as nothing of it changes. */
  List<Problem> problems() {
    return problems;
  }

  /** A copy of all, which costs time in proportion to the cluster. */
  ClusterSnapshot snapshot() {
    return new ClusterSnapshot(services, problems);
  }
}
