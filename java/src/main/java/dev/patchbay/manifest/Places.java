// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import java.util.function.LongPredicate;

/**
 * The places of a pool from which something is handed out. As in Kubernetes (KEP-3070, KEP-3668)
 * those at the beginning are kept for people, who choose them in manifests, and handed out only
 * when the rest is used up.
 *
 * @param first the first place
 * @param dynamic the first place that is not kept
 * @param end the place after the last one
 */
record Places(long first, long dynamic, long end) {
  /**
   * A free place for somebody: the first one from a place that depends on the name alone.
   *
   * @return -1 if all are taken
   */
  long choose(String name, LongPredicate free) {
    if (end <= first) {
      return -1;
    }
    long count = end - dynamic;
    long start = Long.remainderUnsigned(hash(name), count);
    for (long i = 0; i < count; i++) {
      long place = dynamic + (start + i) % count;
      if (free.test(place)) {
        return place;
      }
    }
    for (long place = dynamic - 1; place >= first; place--) {
      if (free.test(place)) {
        return place;
      }
    }
    return -1;
  }

  /** A hash that never changes, because assignments follow from it: FNV-1a, then mixed. */
  private static long hash(String name) {
    long hash = 0xcbf29ce484222325L;
    for (int i = 0; i < name.length(); i++) {
      hash = (hash ^ name.charAt(i)) * 0x100000001b3L;
    }
    hash = (hash ^ (hash >>> 32)) * 0xd6e8feb86659fd93L;
    return hash ^ (hash >>> 32);
  }
}
