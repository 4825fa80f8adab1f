// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench;

import java.util.Map;

/**
 * A line of the table in the README: one measure, all peers side by side.
 *
 * @param measure what it is, for people
 * @param unit of the figures, {@link Row#RATIO} for ratios
 * @param figures what there is of it
 */
public record Headline(String measure, String unit, Map<Peer, Figure> figures) {
  /** Copies the figures. */
  public Headline {
    figures = Map.copyOf(figures);
  }
}
