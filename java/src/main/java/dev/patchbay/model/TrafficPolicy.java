// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.model;

/** {@code spec.internalTrafficPolicy} and {@code spec.externalTrafficPolicy} of a Service. */
public enum TrafficPolicy {
  /** Endpoints on all nodes. */
  CLUSTER("Cluster"),
  /** Endpoints on the node that the connection starts from or arrives at. */
  LOCAL("Local");

  private final String text;

  TrafficPolicy(String text) {
    this.text = text;
  }

  /** The spelling of the Kubernetes API. */
  @Override
  public String toString() {
    return text;
  }
}
