// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.model.ClusterSnapshot;
import dev.patchbay.model.ObjectKey;
import java.time.Duration;
import java.util.Set;

/**
 * What the manifests say now.
 *
 * @param snapshot everything: all Services and all problems
 * @param changed the Services whose state differs from the one told before, among them those that
 *     are gone; all Services the first time. Empty if only problems changed
 * @param files manifest files found, readable or not
 * @param objects objects in force, of all kinds
 * @param took from noticing the change to this value
 */
public record Loaded(
    ClusterSnapshot snapshot, Set<ObjectKey> changed, int files, int objects, Duration took) {
  public Loaded {
    changed = Set.copyOf(changed);
  }
}
