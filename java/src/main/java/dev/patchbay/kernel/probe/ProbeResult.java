// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel.probe;

/** What a probe found. That it could not be tried is not the same as "no". */
public sealed interface ProbeResult {
  /** It is there. */
  record Supported() implements ProbeResult {}

  /**
   * It is not there.
   *
   * @param needs what would have it, for example {@code Linux 5.8}
   */
  record Unsupported(String needs) implements ProbeResult {}

  /**
   * It could not be tried.
   *
   * @param errno positive, 0 if no call failed
   * @param cause in words
   */
  record Inconclusive(int errno, String cause) implements ProbeResult {}

  /** The only value of its kind. */
  Supported SUPPORTED = new Supported();
}
