// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.model;

import java.util.List;
import java.util.Map;

/**
 * A Service as far as the dataplane needs it.
 *
 * @param key its identity
 * @param type {@code spec.type}
 * @param clusterIps its cluster IPs, at most one per family, the primary one first; empty for a
 *     headless Service, an ExternalName, and one that got no address
 * @param ports in the order of the manifest; names and (protocol, port) pairs are unique
 * @param selector empty if there is none
 * @param affinitySeconds 0 without session affinity, else the timeout of {@code ClientIP}, 1 to
 *     86400 seconds
 * @param publishNotReadyAddresses whether readiness of endpoints is ignored
 * @param createdMillis {@code metadata.creationTimestamp} in milliseconds since the epoch; {@link
 *     Long#MAX_VALUE} if unknown. Older Services win conflicts
 * @param origin where it came from, for messages: a file and document, or a cluster
 */
public record Service(
    ObjectKey key,
    ServiceType type,
    List<IpAddress> clusterIps,
    List<ServicePort> ports,
    Map<String, String> selector,
    int affinitySeconds,
    boolean publishNotReadyAddresses,
    long createdMillis,
    String origin) {
  public Service {
    if (affinitySeconds < 0 || affinitySeconds > 86400) {
      throw new IllegalArgumentException("session affinity of " + affinitySeconds + " s");
    }
    clusterIps = List.copyOf(clusterIps);
    ports = List.copyOf(ports);
    selector = Map.copyOf(selector);
  }
}
