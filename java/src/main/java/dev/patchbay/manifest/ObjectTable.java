// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.model.Problem;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The objects of all files, with the last good version of each; and for each identity the one
 * object that is in force: that of the first file in the order of names. Not thread-safe.
 */
final class ObjectTable {
  /** An object that differs: before and after; null where there is none. */
  record Change(@Nullable ManifestObject before, @Nullable ManifestObject after) {}

  /** What is wrong with each file with which something is. */
  private final Map<String, List<Problem>> fileProblems = new TreeMap<>();

  private final Map<String, Map<ObjectId, ManifestObject>> files = new HashMap<>();
  private final Map<ObjectId, ManifestObject> inForce = new HashMap<>();

  /** For identities that several files define: the objects by file. */
  private final Map<ObjectId, TreeMap<String, ManifestObject>> contested = new HashMap<>();

  private long problemChanges;

  /**
   * Takes new versions of files and forgets files that are gone.
   *
   * @return the differences between the objects in force before and after
   */
  List<Change> update(List<FileVersion> changed, Collection<String> gone) {
    Map<ObjectId, @Nullable ManifestObject> touched = new HashMap<>();
    for (FileVersion version : changed) {
      Map<ObjectId, ManifestObject> before = files.getOrDefault(version.file(), Map.of());
      Map<ObjectId, ManifestObject> after = version.over(before);
      putProblems(version.file(), version.problems());
      replace(version.file(), before, after, touched);
    }
    for (String file : gone) {
      putProblems(file, List.of());
      replace(file, files.getOrDefault(file, Map.of()), Map.of(), touched);
    }
    List<Change> changes = new ArrayList<>(touched.size());
    for (Map.Entry<ObjectId, @Nullable ManifestObject> entry : touched.entrySet()) {
      ManifestObject before = entry.getValue();
      ManifestObject after = inForce.get(entry.getKey());
      if (before == null ? after != null : !before.equals(after)) {
        changes.add(new Change(before, after));
      }
    }
    return changes;
  }

  /** Number of objects in force. */
  int size() {
    return inForce.size();
  }

  /** What is wrong with the files themselves. */
  List<Problem> problems() {
    List<Problem> problems = new ArrayList<>();
    fileProblems.values().forEach(problems::addAll);
    for (TreeMap<String, ManifestObject> candidates : contested.values()) {
      ManifestObject first = candidates.firstEntry().getValue();
      for (ManifestObject other : candidates.tailMap(candidates.firstKey(), false).values()) {
        problems.add(FileVersion.duplicate(other, first));
      }
    }
    return problems;
  }

  /** A number that is another one whenever {@link #problems()} may be. */
  long problemChanges() {
    return problemChanges;
  }

  private void putProblems(String file, List<Problem> problems) {
    List<Problem> before =
        problems.isEmpty() ? fileProblems.remove(file) : fileProblems.put(file, problems);
    if (!problems.equals(before == null ? List.of() : before)) {
      problemChanges++;
    }
  }

  private void replace(
      String file,
      Map<ObjectId, ManifestObject> before,
      Map<ObjectId, ManifestObject> after,
      Map<ObjectId, @Nullable ManifestObject> touched) {
    for (ObjectId id : before.keySet()) {
      if (!after.containsKey(id)) {
        touch(id, touched);
        withdraw(file, id);
      }
    }
    for (ManifestObject object : after.values()) {
      if (!object.equals(before.get(object.id()))) {
        touch(object.id(), touched);
        offer(file, object);
      }
    }
    if (after.isEmpty()) {
      files.remove(file);
    } else {
      files.put(file, after);
    }
  }

  /** Remembers what was in force before the first of several changes; that may be nothing. */
  private void touch(ObjectId id, Map<ObjectId, @Nullable ManifestObject> touched) {
    if (!touched.containsKey(id)) {
      touched.put(id, inForce.get(id));
    }
  }

  private void offer(String file, ManifestObject object) {
    ObjectId id = object.id();
    TreeMap<String, ManifestObject> candidates = contested.get(id);
    ManifestObject current = inForce.get(id);
    if (candidates == null && current != null && !current.origin().file().equals(file)) {
      candidates = new TreeMap<>();
      candidates.put(current.origin().file(), current);
      contested.put(id, candidates);
    }
    if (candidates == null) {
      inForce.put(id, object);
    } else {
      problemChanges++;
      candidates.put(file, object);
      inForce.put(id, candidates.firstEntry().getValue());
    }
  }

  private void withdraw(String file, ObjectId id) {
    TreeMap<String, ManifestObject> candidates = contested.get(id);
    if (candidates == null) {
      inForce.remove(id);
      return;
    }
    problemChanges++;
    candidates.remove(file);
    inForce.put(id, candidates.firstEntry().getValue());
    if (candidates.size() == 1) {
      contested.remove(id);
    }
  }
}
