// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.compile;

import dev.patchbay.table.Backend;
import java.util.List;

/**
 * The result of endpoint selection for one port of a Service in one address family.
 *
 * @param chosen who may be chosen: sorted, without duplicates, at most {@link
 *     dev.patchbay.table.ServiceWord#MAX_COUNT}
 * @param decisions one for each endpoint of the family and each matching port of its slice, in the
 *     order of the slices; those that are chosen have exactly the backends of {@code chosen}
 */
public record Selection(List<Backend> chosen, List<Decision> decisions) {
  public Selection {
    chosen = List.copyOf(chosen);
    decisions = List.copyOf(decisions);
  }
}
