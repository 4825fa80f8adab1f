// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.reconcile;

import java.util.Locale;

/**
 * Something in the maps that the agent did not write.
 *
 * @param kind what was done
 * @param what a sentence without a full stop, for people
 */
public record Drift(Kind kind, String what) {
  /** What somebody did to the maps. */
  public enum Kind {
    /** An entry of {@code frontends} is gone. */
    FRONTEND_MISSING,
    /** An entry of {@code frontends} leads elsewhere. */
    FRONTEND_ALTERED,
    /** An entry of {@code frontends} that nobody wanted. */
    FRONTEND_FOREIGN,
    /** A key of {@code frontends} that no program looks up. */
    KEY_FOREIGN,
    /** The word or the settings of an entry of {@code services}. */
    SERVICE_ALTERED,
    /** Rows of {@code backends} that a word names. */
    BACKENDS_ALTERED;

    /** The name for metrics: {@code frontend_missing}. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  @Override
  public String toString() {
    return what;
  }
}
