// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.table;

import java.util.List;
import java.util.Map;

/**
 * What the maps hold at one moment, as read back from them.
 *
 * @param frontends every entry of {@code frontends}
 * @param services by index: every entry whose word or settings are not zero
 * @param capacity sizes of the maps
 * @param backends access to the rows of {@code backends}
 */
public record ObservedState(
    Map<FrontendKey, FrontendValue> frontends,
    Map<Integer, ObservedService> services,
    Capacity capacity,
    BackendReader backends) {
  public ObservedState {
    frontends = Map.copyOf(frontends);
    services = Map.copyOf(services);
  }

  /**
   * An entry of {@code services}.
   *
   * @param word its word
   * @param settings its settings
   */
  public record ObservedService(ServiceWord word, ServiceSettings settings) {}

  /** Reads rows of {@code backends}. */
  @FunctionalInterface
  public interface BackendReader {
    /**
     * The rows {@code base} to {@code base + count - 1}, in that order. A row that holds no valid
     * backend (port 0) is returned as such.
     *
     * @throws IndexOutOfBoundsException if the range leaves the map
     */
    List<Backend> read(int base, int count);
  }
}
