// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.kernel.sys.MapShape;
import java.util.Locale;
import java.util.Map;

/** A map that the programs share and that is pinned under its name. */
enum PatchbayMap {
  FRONTENDS(Legacy.COPIED),
  SERVICES(Legacy.COPIED),
  BACKENDS(Legacy.COPIED),
  SOCKET_STATE(Legacy.OF_SOCKETS),
  CONNECTIONS(Legacy.OF_SOCKETS),
  UDP_SOCKET_FLOWS(Legacy.OF_SOCKETS),
  UDP_FLOWS(Legacy.OF_SOCKETS),
  AFFINITY(Legacy.KEPT),
  COUNTERS(Legacy.NONE),
  SERVICE_STATS(Legacy.OF_SOCKETS),
  BACKEND_STATS(Legacy.OF_SOCKETS),
  WATCHERS(Legacy.NONE),
  WATCHER_RINGS(Legacy.NONE),
  EVENTS(Legacy.NONE);

  /**
   * What becomes of a map when another version of the ABI takes the place of the one that made it;
   * always under the condition that its layout is the same in both.
   */
  enum Legacy {
    /**
     * Its content is copied. Programs of both versions may run at one time, and what the agent
     * writes for the newer ones may mean something else to the older ones.
     */
    COPIED,
    /**
     * The programs of the other version go on with this very map: what sockets remember. All of
     * these that both versions have, or none.
     */
    OF_SOCKETS,
    /** The programs of the other version go on with this very map. */
    KEPT,
    /** The other version begins with an empty one. */
    NONE
  }

  private final Legacy legacy;

  PatchbayMap(Legacy legacy) {
    this.legacy = legacy;
  }

  Legacy legacy() {
    return legacy;
  }

  /**
   * Whether a map can serve as this one. Where nobody chooses the size it is that of the node which
   * made the map.
   *
   * @param shapes what this version would make
   * @param found what there is
   */
  boolean fits(Map<PatchbayMap, MapShape> shapes, MapShape found) {
    MapShape wanted = shapes.get(this);
    return switch (this) {
      case AFFINITY, UDP_FLOWS ->
          wanted != null && found.equals(wanted.withEntries(found.maxEntries()));
      default -> found.equals(wanted);
    };
  }

  /** Its name in the object file and of its pin. */
  String mapName() {
    return name().toLowerCase(Locale.ROOT);
  }
}
