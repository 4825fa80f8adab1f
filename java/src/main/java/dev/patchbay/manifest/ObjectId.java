// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.model.ObjectKey;

/**
 * The identity of an object of any kind that is read.
 *
 * @param kind its kind
 * @param key its key; the namespace of a Node is {@code -}
 */
record ObjectId(Kind kind, ObjectKey key) {
  /** The kinds that are read. */
  enum Kind {
    SERVICE("Service", "v1"),
    ENDPOINTS("Endpoints", "v1"),
    ENDPOINT_SLICE("EndpointSlice", "discovery.k8s.io/v1"),
    POD("Pod", "v1"),
    NODE("Node", "v1");

    private final String text;
    private final String apiVersion;

    Kind(String text, String apiVersion) {
      this.text = text;
      this.apiVersion = apiVersion;
    }

    String apiVersion() {
      return apiVersion;
    }

    /** The spelling of the Kubernetes API. */
    @Override
    public String toString() {
      return text;
    }
  }

  /** The namespace given to objects that have none. */
  static final String NO_NAMESPACE = "-";

  /** Kind and key, as problems name objects. */
  @Override
  public String toString() {
    return kind + " " + (kind == Kind.NODE ? key.name() : key.toString());
  }
}
