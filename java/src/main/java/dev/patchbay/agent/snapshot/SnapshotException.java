// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.snapshot;

import java.nio.file.Path;

/** There is no usable snapshot. The message names the file, the cause and the remedy. */
public final class SnapshotException extends Exception {
  private static final long serialVersionUID = 1L;

  /** Why there is none. */
  public enum Reason {
    /** No file: no agent has run with this state directory. */
    MISSING,
    /** The file cannot be opened or read. */
    UNREADABLE,
    /** The content is not a snapshot, or a damaged one. */
    CORRUPT,
    /** A later version wrote it, in a format that this one does not know. */
    NEWER
  }

  private final Reason reason;

  SnapshotException(Reason reason, Path file, String detail) {
    super(file + ": " + detail);
    this.reason = reason;
  }

  public Reason reason() {
    return reason;
  }
}
