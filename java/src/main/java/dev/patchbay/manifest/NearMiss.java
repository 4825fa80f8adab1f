// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.manifest.ManifestObject.PodObject;
import dev.patchbay.manifest.ManifestObject.ServiceObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Says in words which Pods a selector misses, and by what. */
final class NearMiss {
  /** Enough to find a slip of the pen without reading a whole cluster. */
  private static final int MAX_PODS = 200;

  private static final int MAX_NAMES = 3;

  private NearMiss() {}

  /** Why a selector selects nothing, with the Pods that come closest. */
  static String describe(ServiceObject service, @Nullable PodIndex pods) {
    Map<String, String> selector = new TreeMap<>(service.written().selector());
    String none =
        "the selector "
            + text(selector)
            + " matches no Pod in namespace "
            + service.key().namespace();
    if (pods == null || pods.all().isEmpty()) {
      return none + ", which has no Pods";
    }
    int fewest = Integer.MAX_VALUE;
    List<String> closest = new ArrayList<>();
    PodObject example = null;
    int seen = 0;
    for (PodObject pod : pods.all()) {
      int missing = missing(selector, pod).size();
      if (missing < fewest) {
        fewest = missing;
        closest.clear();
        example = pod;
      }
      if (missing == fewest) {
        closest.add(pod.key().name());
      }
      if (++seen == MAX_PODS) {
        break;
      }
    }
    if (example == null || (fewest == selector.size() && !sharesKey(selector, example))) {
      return none;
    }
    return none
        + (closest.size() == 1 ? "; closest is " : "; closest are ")
        + pods(closest)
        + " with "
        + difference(selector, example);
  }

  /** {@code Pod a}, or {@code Pods a, b, c and 4 more}. */
  static String pods(List<String> names) {
    String listed = String.join(", ", names.subList(0, Math.min(MAX_NAMES, names.size())));
    int more = names.size() - MAX_NAMES;
    return (names.size() == 1 ? "Pod " : "Pods ")
        + listed
        + (more > 0 ? " and " + more + " more" : "");
  }

  private static List<String> missing(Map<String, String> selector, PodObject pod) {
    List<String> missing = new ArrayList<>();
    for (Map.Entry<String, String> entry : selector.entrySet()) {
      if (!entry.getValue().equals(pod.labels().get(entry.getKey()))) {
        missing.add(entry.getKey());
      }
    }
    return missing;
  }

  private static boolean sharesKey(Map<String, String> selector, PodObject pod) {
    return selector.keySet().stream().anyMatch(pod.labels()::containsKey);
  }

  private static String difference(Map<String, String> selector, PodObject pod) {
    StringBuilder text = new StringBuilder();
    for (String key : missing(selector, pod)) {
      String value = pod.labels().get(key);
      text.append(text.isEmpty() ? "" : ", ")
          .append(value == null ? "no label " + key : key + "=" + value);
    }
    return text.toString();
  }

  private static String text(Map<String, String> labels) {
    StringBuilder text = new StringBuilder();
    labels.forEach(
        (key, value) ->
            text.append(text.isEmpty() ? "" : ",").append(key).append('=').append(value));
    return text.toString();
  }
}
