// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import java.util.List;
import java.util.Optional;

/**
 * What a cleanup did.
 *
 * @param removed what is gone now, one line each
 * @param left what lay among our pins and is not ours, with the reason, one line each
 * @param agent the agent that has this dataplane open, for people; it goes on, and puts back what
 *     was removed
 */
public record CleanupReport(List<String> removed, List<String> left, Optional<String> agent) {
  public CleanupReport {
    removed = List.copyOf(removed);
    left = List.copyOf(left);
  }
}
