// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.compile;

import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.ServiceRow;
import java.util.List;

/**
 * What one Service wants, regardless of all others.
 *
 * @param rows with distinct keys: for each port and family one, or two if its cluster IP and its
 *     external addresses obey different policies; by family, then in the order of the ports
 * @param refused the wildcards of its cluster IPs
 * @param rejections what it cannot have in any case
 */
public record CompiledService(
    List<ServiceRow> rows, List<FrontendKey> refused, List<Rejection> rejections) {
  public CompiledService {
    rows = List.copyOf(rows);
    refused = List.copyOf(refused);
    rejections = List.copyOf(rejections);
  }
}
