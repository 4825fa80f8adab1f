// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.metrics;

/**
 * How many have series of their own; all others are summed up.
 *
 * @param servicePorts Service ports, 0 or more
 * @param backends backends of Services that ask for it, 0 or more
 */
public record SeriesLimits(int servicePorts, int backends) {
  public static final SeriesLimits STANDARD = new SeriesLimits(1000, 1000);

  public SeriesLimits {
    if (servicePorts < 0 || backends < 0) {
      throw new IllegalArgumentException("a limit is negative");
    }
  }
}
