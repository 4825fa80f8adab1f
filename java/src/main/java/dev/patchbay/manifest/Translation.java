// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.model.Problem;
import java.util.ArrayList;
import java.util.List;

/** What one document turned out to hold. Filled by one thread, then only read. */
final class Translation {
  /** Valid objects. */
  final List<ManifestObject> objects = new ArrayList<>(1);

  /**
   * Objects whose identity is known but which have errors: an earlier version may stay in force.
   */
  final List<ObjectId> rejected = new ArrayList<>(0);

  final List<Problem> problems = new ArrayList<>(0);

  /** Whether something has errors and cannot be told apart: any earlier object may be meant. */
  boolean unidentified;

  /** Whether there is something to mend. */
  boolean hasFaults() {
    for (Problem problem : problems) {
      if (problem.severity() != Problem.Severity.NOTE) {
        return true;
      }
    }
    return false;
  }
}
