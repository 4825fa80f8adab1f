// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.table;

import dev.patchbay.model.ServicePortKey;
import java.util.Map;
import java.util.Set;

/**
 * All rows that are wanted. No frontend occurs twice.
 *
 * @param services by key
 * @param refused wildcard keys of Service addresses whose other ports refuse connections
 */
public record DesiredState(Map<ServicePortKey, ServiceRow> services, Set<FrontendKey> refused) {
  public DesiredState {
    services = Map.copyOf(services);
    refused = Set.copyOf(refused);
  }
}
