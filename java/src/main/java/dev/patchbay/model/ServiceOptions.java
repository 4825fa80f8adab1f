// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.model;

import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;

/**
 * What a Service asks of Patchbay beyond its specification, by annotations.
 *
 * @param terminateConnections {@code patchbay.dev/terminate-connections}: whether TCP connections
 *     end when their backend leaves, in place of going on until it closes them
 * @param backendMetrics {@code patchbay.dev/backend-metrics}: whether connections are counted for
 *     each backend too
 */
public record ServiceOptions(boolean terminateConnections, boolean backendMetrics) {
  public static final ServiceOptions NONE = new ServiceOptions(false, false);

  /** What the names of all our annotations begin with. */
  public static final String PREFIX = "patchbay.dev/";

  private static final String TERMINATE = PREFIX + "terminate-connections";
  private static final String BACKENDS = PREFIX + "backend-metrics";

  /**
   * Reads annotations; those without our prefix are passed over.
   *
   * @param problems hears of what has no meaning: the field and the reason; it counts as absent
   */
  public static ServiceOptions read(
      Map<String, String> annotations, BiConsumer<String, String> problems) {
    boolean terminate = false;
    boolean backends = false;
    for (Map.Entry<String, String> entry : new TreeMap<>(annotations).entrySet()) {
      String name = entry.getKey();
      if (!name.startsWith(PREFIX)) {
        continue;
      }
      String field = "metadata.annotations[" + name + "]";
      boolean yes = entry.getValue().equals("true");
      if (!name.equals(TERMINATE) && !name.equals(BACKENDS)) {
        problems.accept(
            field, "is unknown; there are " + TERMINATE + " and " + BACKENDS + "; ignored");
      } else if (!yes && !entry.getValue().equals("false")) {
        problems.accept(field, "\"" + entry.getValue() + "\" is neither true nor false; ignored");
      } else if (name.equals(TERMINATE)) {
        terminate = yes;
      } else {
        backends = yes;
      }
    }
    return terminate || backends ? new ServiceOptions(terminate, backends) : NONE;
  }
}
