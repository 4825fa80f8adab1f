// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.model;

import java.util.List;

/**
 * A set of endpoints that share their ports.
 *
 * @param key its identity
 * @param family of all addresses in it
 * @param ports the ports that each endpoint serves
 * @param endpoints all of {@code family}
 */
public record EndpointSlice(
    ObjectKey key, IpFamily family, List<EndpointPort> ports, List<Endpoint> endpoints) {
  public EndpointSlice {
    ports = List.copyOf(ports);
    endpoints = List.copyOf(endpoints);
    for (Endpoint endpoint : endpoints) {
      if (endpoint.address().family() != family) {
        throw new IllegalArgumentException(endpoint.address() + " in " + family + " slice " + key);
      }
    }
  }
}
