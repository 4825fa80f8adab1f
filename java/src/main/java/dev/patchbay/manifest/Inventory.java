// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.model.NodeInfo;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Problem;
import dev.patchbay.model.Problem.Severity;
import dev.patchbay.model.ServiceState;
import dev.patchbay.model.SourceUpdate;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Everything known from the manifests: takes the names of files that changed, reads them, and says
 * what that means. Not thread-safe.
 */
final class Inventory {
  /** All that problems follow from, in a form that is quickly compared. */
  private record ProblemState(
      long objects, long controlPlane, @Nullable Problem directory, String writeFailure) {}

  private final Directory directory;
  private final ManifestReader reader;
  private final @Nullable AllocationFile allocationFile;
  private final ObjectTable objects = new ObjectTable();
  private final ControlPlane controlPlane;
  private final List<Problem> startProblems = new ArrayList<>();

  private Assignments written;
  private String writeFailure = "";
  private List<Problem> problems = List.of();
  private @Nullable ProblemState problemState;
  private List<Problem> published = List.of();
  private List<NodeInfo> publishedNodes = List.of();

  Inventory(ManifestSettings settings, Directory directory) {
    this.directory = directory;
    this.reader = new ManifestReader(settings);
    this.allocationFile =
        settings.stateDirectory() == null ? null : new AllocationFile(settings.stateDirectory());
    AllocationFile.Content remembered =
        allocationFile == null
            ? new AllocationFile.Content(Assignments.NONE, "")
            : allocationFile.read();
    if (!remembered.problem().isEmpty()) {
      startProblems.add(general(Severity.WARNING, remembered.problem()));
    }
    this.written = remembered.assignments();
    this.controlPlane = new ControlPlane(settings.serviceCidrs(), settings.nodePorts(), written);
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
   * What differs from the value before, as one value.
   *
   * @param changed the Services whose state differs from the value before
   * @param directoryProblem what is wrong with the directory itself; null if nothing is
   * @param files the number of manifest files there are
   * @param sinceNanos when the change was noticed, by {@link System#nanoTime()}
   */
  Loaded publish(
      Set<ObjectKey> changed, @Nullable Problem directoryProblem, int files, long sinceNanos) {
    published = problems(directoryProblem);
    publishedNodes = controlPlane.nodes();
    List<ServiceState> upserted = new ArrayList<>(changed.size());
    List<ObjectKey> removed = new ArrayList<>(0);
    for (ObjectKey key : changed) {
      ServiceState state = controlPlane.states().get(key);
      if (state == null) {
        removed.add(key);
      } else {
        upserted.add(state);
      }
    }
    Duration took = Duration.ofNanos(System.nanoTime() - sinceNanos);
    return new Loaded(
        new SourceUpdate(
            Collections.unmodifiableList(upserted),
            Collections.unmodifiableList(removed),
            published,
            publishedNodes,
            controlPlane.takeChanges()),
        files,
        objects.size(),
        took);
  }

  /** Whether problems or Nodes differ from those of the value published last. */
  boolean isOtherwise(@Nullable Problem directoryProblem) {
    return !controlPlane.nodes().equals(publishedNodes)
        || !problems(directoryProblem).equals(published);
  }

  /** All problems, sorted; the same object as long as nothing changed. */
  private List<Problem> problems(@Nullable Problem directoryProblem) {
    ProblemState now =
        new ProblemState(
            objects.problemChanges(),
            controlPlane.problemChanges(),
            directoryProblem,
            writeFailure);
    if (now.equals(problemState)) {
      return problems;
    }
    List<Problem> all = new ArrayList<>(startProblems);
    if (directoryProblem != null) {
      all.add(directoryProblem);
    }
    if (!writeFailure.isEmpty()) {
      all.add(general(Severity.ERROR, writeFailure));
    }
    all.addAll(objects.problems());
    all.addAll(controlPlane.problems());
    Collections.sort(all);
    problemState = now;
    if (!all.equals(problems)) {
      problems = Collections.unmodifiableList(all);
    }
    return problems;
  }

  /** Writes the assignments if they differ; a failure is tried again with the next change. */
  private void keep() {
    Assignments current = controlPlane.remembered();
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
