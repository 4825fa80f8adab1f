// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.model.Problem;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Collects the problems of one object, each once and not endlessly many. Not thread-safe. */
final class Reporter {
  static final int MAX_PROBLEMS = 20;

  private final Origin origin;
  private @Nullable Set<Problem> problems;
  private String object = "";
  private boolean failed;

  Reporter(Origin origin) {
    this.origin = origin;
  }

  Origin origin() {
    return origin;
  }

  /** Sets how the object is called in the problems that follow; empty until then. */
  void name(String name) {
    this.object = name;
  }

  /**
   * Reports a problem; its line is appended to the reason, if it is known (not 0) and there is
   * something to mend.
   */
  void report(Problem.Severity severity, String field, String reason, int line) {
    failed |= severity == Problem.Severity.ERROR;
    if (problems == null) {
      problems = new LinkedHashSet<>();
    }
    if (problems.size() < MAX_PROBLEMS) {
      boolean told = line != 0 && severity != Problem.Severity.NOTE;
      problems.add(problem(severity, field, told ? reason + " (line " + line + ")" : reason));
    } else if (problems.size() == MAX_PROBLEMS) {
      problems.add(problem(severity, "", "has more problems, which are not listed"));
    }
  }

  /** Whether an error was reported, so that the object must not be used. */
  boolean failed() {
    return failed;
  }

  List<Problem> problems() {
    return problems == null ? List.of() : List.copyOf(problems);
  }

  private Problem problem(Problem.Severity severity, String field, String reason) {
    return new Problem(severity, origin.file(), origin.document(), object, field, reason);
  }
}
