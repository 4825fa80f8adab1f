// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.metrics;

import dev.patchbay.observe.BackendStats;
import dev.patchbay.observe.BackendStatsKey;
import dev.patchbay.observe.ServiceStats;
import java.util.function.BiConsumer;

/** What the programs count for single Services, one after the other: there may be many. */
interface Statistics {
  /** Tells of each Service port, by its id. */
  void services(BiConsumer<Long, ServiceStats> to);

  /** Tells of each backend of those Services that ask for it. */
  void backends(BiConsumer<BackendStatsKey, BackendStats> to);
}
