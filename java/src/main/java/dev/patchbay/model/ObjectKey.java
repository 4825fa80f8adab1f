// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.model;

import org.jspecify.annotations.Nullable;

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

  // Written out for the same reason as in IpAddress.
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof ObjectKey key
        && name.equals(key.name)
        && namespace.equals(key.namespace);
  }

  @Override
  public int hashCode() {
    return 31 * namespace.hashCode() + name.hashCode();
  }

  /** {@code namespace/name}. */
  @Override
  public String toString() {
    return namespace + "/" + name;
  }
}
