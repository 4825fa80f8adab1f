// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.cli;

import dev.patchbay.agent.UserError;
import dev.patchbay.agent.snapshot.Snapshot;
import dev.patchbay.agent.snapshot.SnapshotException;
import dev.patchbay.agent.snapshot.SnapshotFile;
import dev.patchbay.kernel.KernelException;
import dev.patchbay.kernel.PinnedDataplane;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What every reading command begins with: the pinned maps, and the agent's last snapshot for names
 * and reasons. A missing snapshot is no failure: then there are no names.
 */
final class Reading implements AutoCloseable {
  private final PinnedDataplane dataplane;
  private final @Nullable Snapshot snapshot;
  private final String missing;
  private final DataplaneView view;

  private Reading(
      PinnedDataplane dataplane, @Nullable Snapshot snapshot, String missing, DataplaneView view) {
    this.dataplane = dataplane;
    this.snapshot = snapshot;
    this.missing = missing;
    this.view = view;
  }

  static Reading open(PathOptions paths) throws UserError {
    PinnedDataplane dataplane;
    try {
      dataplane = PinnedDataplane.open(paths.bpfDir);
    } catch (KernelException e) {
      throw new UserError("cannot read the dataplane", e.getMessage(), "");
    }
    Snapshot snapshot = null;
    String missing = "";
    try {
      snapshot = SnapshotFile.read(paths.stateDir);
    } catch (SnapshotException e) {
      missing = String.valueOf(e.getMessage());
    }
    try {
      DataplaneView view = new DataplaneView(dataplane.load(), snapshot);
      return new Reading(dataplane, snapshot, missing, view);
    } catch (KernelException e) {
      dataplane.close();
      throw new UserError("cannot read the dataplane", e.getMessage(), "");
    }
  }

  static Snapshot requireSnapshot(PathOptions paths) throws UserError {
    try {
      return SnapshotFile.read(paths.stateDir);
    } catch (SnapshotException e) {
      throw new UserError(
          "cannot read the agent's snapshot",
          e.getMessage(),
          "start the agent (patchbay run), or give its --state-dir");
    }
  }

  DataplaneView view() {
    return view;
  }

  PinnedDataplane dataplane() {
    return dataplane;
  }

  /** {@code Names and reasons from the agent's snapshot, 3 s old}, or why there are none. */
  String snapshotAge() {
    return snapshot == null
        ? "No names, because there is no usable snapshot: " + missing
        : "Names and reasons from the agent's snapshot, " + age(snapshot) + " old";
  }

  /** Adds the snapshot's age in seconds, or why there is none. */
  void describeSnapshot(Map<String, Object> tree) {
    if (snapshot == null) {
      tree.put("snapshotMissing", missing);
    } else {
      tree.put("snapshotAgeSeconds", ageSeconds(snapshot));
    }
  }

  private static long ageSeconds(Snapshot snapshot) {
    return Math.max(0, (System.currentTimeMillis() - snapshot.writtenMillis()) / 1000);
  }

  private static String age(Snapshot snapshot) {
    Duration age = Duration.ofSeconds(ageSeconds(snapshot));
    return age.toDays() > 0
        ? age.toDays() + " d " + age.toHoursPart() + " h"
        : age.toHours() > 0
            ? age.toHours() + " h " + age.toMinutesPart() + " min"
            : age.toMinutes() > 0
                ? age.toMinutes() + " min " + age.toSecondsPart() + " s"
                : age.toSeconds() + " s";
  }

  @Override
  public void close() {
    dataplane.close();
  }
}
