// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.reconcile;

import java.util.Locale;

/**
 * Why a Service port is not programmed as it is wanted: it does not fit.
 *
 * @param limit which limit it meets
 * @param needed how many entries it needs
 * @param capacity how many entries there are in all
 */
public record Refusal(Limit limit, int needed, int capacity) {
  /** What a Service port can be too much for. */
  public enum Limit {
    /** The {@code frontends} map. */
    FRONTENDS,
    /** The {@code services} map. */
    SERVICES,
    /** The {@code backends} map: no free piece is long enough. */
    BACKENDS,
    /** The endpoints that one Service port can have. */
    ENDPOINTS
  }

  /** One sentence for people. */
  @Override
  public String toString() {
    String name = limit.name().toLowerCase(Locale.ROOT);
    return switch (limit) {
      case FRONTENDS, SERVICES -> name + " is full: needs " + needed + " of " + capacity;
      case BACKENDS -> name + " is full: needs " + needed + " in one piece of " + capacity;
      case ENDPOINTS -> "has " + needed + " endpoints, the limit is " + capacity;
    };
  }
}
