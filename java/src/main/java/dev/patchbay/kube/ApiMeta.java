// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.ServiceOptions;
import java.util.HashMap;
import java.util.Map;

/** {@code metadata} of an object of the API, and what could not be read of the object. */
final class ApiMeta {
  /** When what the endpoints of a slice follow from has changed: a Pod, for example. */
  static final String TRIGGER_TIME = "endpoints.kubernetes.io/last-change-trigger-time";

  String namespace = "";
  String name = "";
  String uid = "";
  String resourceVersion = "";

  /** Milliseconds since the epoch; {@link Long#MAX_VALUE} if unknown. */
  long createdMillis = Long.MAX_VALUE;

  boolean deleting;

  /** The value of the one label that the kind of object is read with; empty if absent. */
  String label = "";

  /** Those annotations that somebody reads, by name. */
  Map<String, String> annotations = Map.of();

  /** Fields of a type that the API does not have. */
  final Findings findings = new Findings();

  /** Keeps an annotation. */
  void annotation(String key, String value) {
    if (annotations.isEmpty()) {
      annotations = new HashMap<>(2);
    }
    annotations.put(key, value);
  }

  /** Whether an annotation is worth keeping. */
  static boolean isRead(String key) {
    return key.startsWith(ServiceOptions.PREFIX) || key.equals(TRIGGER_TIME);
  }

  ObjectKey key() {
    return new ObjectKey(namespace, name);
  }
}
