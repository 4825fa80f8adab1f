// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.model.ClusterSnapshot;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Problem;
import dev.patchbay.model.Problem.Severity;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Everything known from the manifests: takes the names of files that changed, reads them, and says
 * what that means. Not thread-safe.
 */
final class Inventory {
  private final Directory directory;
  private final ManifestReader reader;
  private final @Nullable AllocationFile allocationFile;
  private final ObjectTable objects = new ObjectTable();
  private final ControlPlane controlPlane;
  private final List<Problem> startProblems = new ArrayList<>();

  private Map<ObjectKey, List<IpAddress>> written;
  private String writeFailure = "";
  private List<Problem> published = List.of();

  Inventory(ManifestSettings settings, Directory directory) {
    this.directory = directory;
    this.reader = new ManifestReader(settings);
    this.allocationFile =
        settings.stateDirectory() == null ? null : new AllocationFile(settings.stateDirectory());
    AllocationFile.Content remembered =
        allocationFile == null ? new AllocationFile.Content(Map.of(), "") : allocationFile.read();
    if (!remembered.problem().isEmpty()) {
      startProblems.add(general(Severity.WARNING, remembered.problem()));
    }
    this.written = remembered.addresses();
    this.controlPlane = new ControlPlane(settings.serviceCidrs(), written);
  }

  /**
   * Reads files that are new or changed and forgets files that are gone.
   *
   * @return the Services whose state differs now
   */
  Set<ObjectKey> update(List<String> changed, Collection<String> gone) {
    List<FileVersion> versions = reader.read(directory.path(), changed);
    Set<ObjectKey> keys = controlPlane.apply(objects.update(versions, gone));
    keep();
    return keys;
  }

  /**
   * Everything, as one value.
   *
   * @param changed the Services whose state differs from the value before
   * @param directoryProblem what is wrong with the directory itself; null if nothing is
   * @param files the number of manifest files there are
   * @param sinceNanos when the change was noticed, by {@link System#nanoTime()}
   */
  Loaded publish(
      Set<ObjectKey> changed, @Nullable Problem directoryProblem, int files, long sinceNanos) {
    published = problems(directoryProblem);
    ClusterSnapshot snapshot = new ClusterSnapshot(controlPlane.states(), published);
    Duration took = Duration.ofNanos(System.nanoTime() - sinceNanos);
    return new Loaded(snapshot, changed, files, objects.size(), took);
  }

  /** Whether the problems differ from those of the value published last. */
  boolean hasOtherProblems(@Nullable Problem directoryProblem) {
    return !problems(directoryProblem).equals(published);
  }

  private List<Problem> problems(@Nullable Problem directoryProblem) {
    List<Problem> problems = new ArrayList<>(startProblems);
    if (directoryProblem != null) {
      problems.add(directoryProblem);
    }
    if (!writeFailure.isEmpty()) {
      problems.add(general(Severity.ERROR, writeFailure));
    }
    problems.addAll(objects.problems());
    problems.addAll(controlPlane.problems());
    Collections.sort(problems);
    return problems;
  }

  /** Writes the assignments if they differ; a failure is tried again with the next change. */
  private void keep() {
    Map<ObjectKey, List<IpAddress>> current = controlPlane.remembered();
    if (allocationFile == null || current.equals(written)) {
      return;
    }
    try {
      allocationFile.write(current);
      written = current;
      writeFailure = "";
    } catch (IOException e) {
      writeFailure = String.valueOf(e.getMessage());
    }
  }

  /** A problem that no file is to blame for. */
  static Problem general(Severity severity, String reason) {
    return new Problem(severity, "", 0, "", "", reason);
  }
}
