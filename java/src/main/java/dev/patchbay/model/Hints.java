// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.model;

import java.util.List;

/**
 * For whom an endpoint is meant: {@code hints} of an endpoint in an EndpointSlice.
 *
 * @param zones {@code forZones}; empty if there is no such hint
 * @param nodes {@code forNodes}; empty if there is no such hint
 */
public record Hints(List<String> zones, List<String> nodes) {
  /** No hint of either kind. */
  public static final Hints NONE = new Hints(List.of(), List.of());

  public Hints {
    zones = List.copyOf(zones);
    nodes = List.copyOf(nodes);
  }

  public boolean isNone() {
    return zones.isEmpty() && nodes.isEmpty();
  }
}
