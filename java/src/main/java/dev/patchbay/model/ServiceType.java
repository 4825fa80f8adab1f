// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.model;

/** {@code spec.type} of a Service. */
public enum ServiceType {
  CLUSTER_IP("ClusterIP"),
  NODE_PORT("NodePort"),
  LOAD_BALANCER("LoadBalancer"),
  EXTERNAL_NAME("ExternalName");

  private final String text;

  ServiceType(String text) {
    this.text = text;
  }

  /** The spelling of the Kubernetes API. */
  @Override
  public String toString() {
    return text;
  }
}
