// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import java.util.List;

/**
 * What a cleanup did.
 *
 * @param removed what is gone now, one line each
 * @param left what lay among our pins and is not ours, with the reason, one line each
 * @param agentRunning whether an agent had this dataplane open; it goes on, without effect
 */
public record CleanupReport(List<String> removed, List<String> left, boolean agentRunning) {
  public CleanupReport {
    removed = List.copyOf(removed);
    left = List.copyOf(left);
  }
}
