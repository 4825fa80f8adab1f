// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import java.time.Instant;
import java.util.List;

/**
 * How well the cluster is seen.
 *
 * @param server the API server in use, or tried last
 * @param connected whether all resources are watched, or were until a moment ago and no attempt to
 *     watch them again has failed
 * @param since when {@code connected} became what it is; the start, if it never changed
 * @param reason why it is not connected; empty if it is
 * @param resources one for each kind, in a fixed order
 */
public record ClusterHealth(
    String server, boolean connected, Instant since, String reason, List<Resource> resources) {
  public ClusterHealth {
    resources = List.copyOf(resources);
  }

  /**
   * One kind of object.
   *
   * @param name the plural, for example {@code endpointslices}
   * @param listed whether a complete list was read at least once
   * @param objects how many are known
   * @param lists how many complete lists were read
   * @param watches how often a watch was begun
   * @param events how many changes were told by watches
   * @param lastHeard when the API server last said something about this kind, a bookmark included;
   *     {@link Instant#EPOCH} if never
   * @param resourceVersion where the watch is; empty before the first list
   */
  public record Resource(
      String name,
      boolean listed,
      int objects,
      long lists,
      long watches,
      long events,
      Instant lastHeard,
      String resourceVersion) {}
}
