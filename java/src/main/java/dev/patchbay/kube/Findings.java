// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import dev.patchbay.model.Problem.Severity;
import java.util.ArrayList;
import java.util.List;

/** Collects findings of one object; most objects have none. Not thread-safe. */
final class Findings {
  /** An object with a thousand bad endpoints needs no thousand lines. */
  static final int MAX = 10;

  private List<Finding> found = List.of();
  private int dropped;

  void error(String field, String reason) {
    add(Severity.ERROR, field, reason);
  }

  void warning(String field, String reason) {
    add(Severity.WARNING, field, reason);
  }

  void note(String field, String reason) {
    add(Severity.NOTE, field, reason);
  }

  private void add(Severity severity, String field, String reason) {
    if (found.size() == MAX) {
      dropped++;
      return;
    }
    if (found.isEmpty()) {
      found = new ArrayList<>(2);
    }
    found.add(new Finding(severity, field, reason));
  }

  List<Finding> list() {
    if (dropped > 0) {
      List<Finding> all = new ArrayList<>(found);
      all.add(new Finding(Severity.WARNING, "", "and " + dropped + " more findings"));
      return List.copyOf(all);
    }
    return List.copyOf(found);
  }
}
