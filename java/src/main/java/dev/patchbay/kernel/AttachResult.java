// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import java.util.List;

/** What attaching came to. */
public sealed interface AttachResult {
  /**
   * Every program is attached.
   *
   * @param created programs with a new link
   * @param updated programs that took the place of another behind an existing link
   */
  record Attached(List<String> created, List<String> updated) implements AttachResult {
    public Attached {
      created = List.copyOf(created);
      updated = List.copyOf(updated);
    }
  }

  /**
   * Nothing was changed: pinned links hold programs on another cgroup that lives.
   *
   * @param links those links
   */
  record Elsewhere(List<AttachReport.ProgramLink> links) implements AttachResult {
    public Elsewhere {
      links = List.copyOf(links);
    }
  }
}
