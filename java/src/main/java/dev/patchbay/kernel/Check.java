// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.kernel.probe.ProbeResult;

/**
 * One line of the preflight.
 *
 * @param name what is looked at, a few words
 * @param result what was found
 * @param detail what was found, in words; may be empty
 * @param fix what to do about it; empty if nothing needs doing
 * @param required whether the agent cannot run without it
 */
public record Check(String name, ProbeResult result, String detail, String fix, boolean required) {
  /** Whether the agent could not run: a requirement that is known not to be met. */
  public boolean blocks() {
    return switch (result) {
      case ProbeResult.Unsupported _ -> required;
      case ProbeResult.Supported _, ProbeResult.Inconclusive _ -> false;
    };
  }
}
