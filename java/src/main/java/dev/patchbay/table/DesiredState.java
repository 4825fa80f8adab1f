// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.table;

import dev.patchbay.model.ServicePortKey;
import java.util.Map;

/**
 * All rows that are wanted. No frontend occurs twice.
 *
 * @param services by key
 * @param wildcards what becomes of ports that no row names: {@link FrontendValue#REFUSE} for the
 *     addresses of Services, {@link FrontendValue#NODE_ADDRESS} for those of nodes; keys are
 *     wildcards
 */
public record DesiredState(
    Map<ServicePortKey, ServiceRow> services, Map<FrontendKey, FrontendValue> wildcards) {
  public DesiredState {
    services = Map.copyOf(services);
    wildcards = Map.copyOf(wildcards);
  }
}
