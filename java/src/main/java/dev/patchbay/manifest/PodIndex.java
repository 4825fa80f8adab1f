// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.manifest.ManifestObject.PodObject;
import dev.patchbay.model.ObjectKey;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The Pods of one namespace, found by label. Not thread-safe. */
final class PodIndex {
  /** A label with its value. */
  record Label(String key, String value) {}

  private final TreeMap<ObjectKey, PodObject> pods = new TreeMap<>();
  private final Map<Label, TreeMap<ObjectKey, PodObject>> byLabel = new HashMap<>();

  void add(PodObject pod) {
    pods.put(pod.key(), pod);
    pod.labels()
        .forEach(
            (key, value) ->
                byLabel
                    .computeIfAbsent(new Label(key, value), _ -> new TreeMap<>())
                    .put(pod.key(), pod));
  }

  void remove(PodObject pod) {
    pods.remove(pod.key());
    pod.labels()
        .forEach(
            (key, value) ->
                byLabel.computeIfPresent(
                    new Label(key, value),
                    (_, with) -> with.remove(pod.key()) != null && with.isEmpty() ? null : with));
  }

  /** All Pods, ordered by key. */
  Collection<PodObject> all() {
    return pods.values();
  }

  /** The Pods that have all labels of a selector that is not empty, ordered by key. */
  List<PodObject> select(Map<String, String> selector) {
    TreeMap<ObjectKey, PodObject> fewest = null;
    for (Map.Entry<String, String> entry : selector.entrySet()) {
      TreeMap<ObjectKey, PodObject> with = byLabel.get(new Label(entry.getKey(), entry.getValue()));
      if (with == null) {
        return List.of();
      }
      fewest = fewest == null || with.size() < fewest.size() ? with : fewest;
    }
    List<PodObject> selected = new ArrayList<>();
    if (fewest != null) {
      for (PodObject pod : fewest.values()) {
        if (matches(selector, pod)) {
          selected.add(pod);
        }
      }
    }
    return selected;
  }

  static boolean matches(Map<String, String> selector, PodObject pod) {
    return pod.labels().entrySet().containsAll(selector.entrySet());
  }
}
