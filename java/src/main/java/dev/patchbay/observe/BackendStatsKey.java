// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.observe;

import dev.patchbay.table.Backend;

/**
 * What is counted for each backend of a Service port; {@code struct pb_backend_stats_key}.
 *
 * @param statsId of the Service port, {@link dev.patchbay.model.ServicePortKey#statsId}
 * @param backend address and port
 */
public record BackendStatsKey(long statsId, Backend backend) {}
