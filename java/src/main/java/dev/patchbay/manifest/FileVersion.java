// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.model.Problem;
import dev.patchbay.model.Problem.Severity;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a file says at one moment.
 *
 * @param file its name
 * @param objects valid ones; each identity once
 * @param rejected identities of objects with errors
 * @param unidentified whether something could not be read, so that an object that is missing here
 *     may still be meant to exist
 * @param problems in the order of the file
 */
record FileVersion(
    String file,
    Map<ObjectId, ManifestObject> objects,
    Set<ObjectId> rejected,
    boolean unidentified,
    List<Problem> problems) {

  /** A file that cannot be read at all. */
  static FileVersion unreadable(String file, String reason) {
    Problem problem = new Problem(Severity.ERROR, file, 0, "", "", reason);
    return new FileVersion(file, Map.of(), Set.of(), true, List.of(problem));
  }

  /**
   * Puts the documents of a file together. Of several objects with one identity the first counts.
   */
  static FileVersion of(String file, List<Translation> documents) {
    Map<ObjectId, ManifestObject> objects = LinkedHashMap.newLinkedHashMap(documents.size());
    Set<ObjectId> rejected = new HashSet<>();
    List<Problem> problems = new ArrayList<>();
    boolean unidentified = false;
    for (Translation document : documents) {
      for (ManifestObject object : document.objects) {
        ManifestObject first = objects.putIfAbsent(object.id(), object);
        if (first != null) {
          problems.add(duplicate(object, first));
        }
      }
      rejected.addAll(document.rejected);
      problems.addAll(document.problems);
      unidentified |= document.unidentified;
    }
    return new FileVersion(file, objects, rejected, unidentified, problems);
  }

  /** The problem of an object whose identity is taken by another one. */
  static Problem duplicate(ManifestObject object, ManifestObject first) {
    return new Problem(
        Severity.ERROR,
        object.origin().file(),
        object.origin().document(),
        object.id().toString(),
        "metadata.name",
        "is already defined in " + first.origin() + "; that one is used");
  }

  /**
   * The objects in force when this version follows another: its own, and the earlier versions of
   * those that are in this version but have errors.
   */
  Map<ObjectId, ManifestObject> over(Map<ObjectId, ManifestObject> earlier) {
    if (!unidentified && rejected.isEmpty()) {
      return objects;
    }
    Map<ObjectId, ManifestObject> all = new LinkedHashMap<>(objects);
    for (Map.Entry<ObjectId, ManifestObject> entry : earlier.entrySet()) {
      if (unidentified || rejected.contains(entry.getKey())) {
        all.putIfAbsent(entry.getKey(), entry.getValue());
      }
    }
    return all;
  }
}
