// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.model;

import java.util.ArrayList;
import java.util.List;

/**
 * How many changes of objects an update stands for, and when they were caused; for metrics. A burst
 * of changes makes one update.
 *
 * @param services Services that were added, changed or removed
 * @param endpoints EndpointSlices, or what stands for them, that were added, changed or removed
 * @param triggers what caused changes of endpoints, as far as the cluster says it
 */
public record SourceChanges(int services, int endpoints, List<Trigger> triggers) {
  public static final SourceChanges NONE = new SourceChanges(0, 0, List.of());

  /**
   * What caused a change of endpoints: a Pod became ready, for example.
   *
   * @param family of the endpoints
   * @param millis when, in milliseconds since the epoch, by the clock of the control plane
   */
  public record Trigger(IpFamily family, long millis) {}

  public SourceChanges {
    triggers = List.copyOf(triggers);
  }

  /** Both. */
  public SourceChanges plus(SourceChanges other) {
    if (other.equals(NONE)) {
      return this;
    }
    List<Trigger> all = triggers;
    if (!other.triggers.isEmpty()) {
      all = new ArrayList<>(triggers);
      all.addAll(other.triggers);
    }
    return new SourceChanges(services + other.services, endpoints + other.endpoints, all);
  }
}
