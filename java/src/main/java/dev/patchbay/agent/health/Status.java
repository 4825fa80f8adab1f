// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.health;

import java.util.Locale;

/** How a check stands. */
public enum Status {
  OK,
  FAILING,
  /** The cause is gone, but so short a time ago that the failure is still shown. */
  MENDED,
  /** It is not made, for a reason. */
  NOT_RUN;

  private final String label = name().toLowerCase(Locale.ROOT).replace('_', '-');

  /** {@code not-run}. */
  public String label() {
    return label;
  }

  /** Whether it makes an agent unhealthy. */
  public boolean red() {
    return this == FAILING || this == MENDED;
  }
}
