// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.model;

/**
 * The identity of a namespaced object.
 *
 * @param namespace not empty
 * @param name not empty
 */
public record ObjectKey(String namespace, String name) implements Comparable<ObjectKey> {
  @Override
  public int compareTo(ObjectKey other) {
    int byNamespace = namespace.compareTo(other.namespace);
    return byNamespace != 0 ? byNamespace : name.compareTo(other.name);
  }

  /** {@code namespace/name}. */
  @Override
  public String toString() {
    return namespace + "/" + name;
  }
}
