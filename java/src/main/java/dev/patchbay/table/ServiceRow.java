// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.table;

import dev.patchbay.model.ServicePortKey;
import java.util.List;

/**
 * What is wanted for one Service port: its frontends and the set of backends behind them. Where it
 * is placed in the maps is not decided here.
 *
 * @param key whose row it is
 * @param frontends all the addresses that lead to it, sorted, without duplicates
 * @param backends sorted, without duplicates, at most {@link ServiceWord#MAX_COUNT}
 * @param settings affinity and policy
 */
public record ServiceRow(
    ServicePortKey key,
    List<FrontendKey> frontends,
    List<Backend> backends,
    ServiceSettings settings) {
  public ServiceRow {
    frontends = List.copyOf(frontends);
    backends = List.copyOf(backends);
  }
}
