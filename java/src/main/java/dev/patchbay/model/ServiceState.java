// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.model;

import java.util.List;

/**
 * A Service with all that compilation needs to know about it: the unit of change.
 *
 * @param service the Service
 * @param slices its endpoint slices, ordered by key
 * @param notes what the source found while it resolved the Service, in plain words for {@code
 *     explain}: a selector that matches nothing, a port name that no Pod has
 */
public record ServiceState(Service service, List<EndpointSlice> slices, List<String> notes) {
  public ServiceState {
    slices = List.copyOf(slices);
    notes = List.copyOf(notes);
  }

  public ObjectKey key() {
    return service.key();
  }
}
