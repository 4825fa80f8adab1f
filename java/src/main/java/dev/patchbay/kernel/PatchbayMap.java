// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import java.util.Locale;

/** A map that the programs share and that is pinned under its name. */
enum PatchbayMap {
  FRONTENDS,
  SERVICES,
  BACKENDS,
  SOCKET_STATE,
  UDP_SOCKET_FLOWS,
  UDP_FLOWS,
  AFFINITY,
  COUNTERS,
  SERVICE_STATS,
  BACKEND_STATS,
  WATCHERS,
  WATCHER_RINGS,
  EVENTS;

  /** Its name in the object file and of its pin. */
  String mapName() {
    return name().toLowerCase(Locale.ROOT);
  }
}
