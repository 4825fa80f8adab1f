// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.model;

import org.jspecify.annotations.Nullable;

/**
 * The identity of one balanced thing: a port of a Service in one address family. It owns one index
 * of the {@code services} map and one range of {@code backends}.
 *
 * @param service the Service
 * @param port the name of the port; empty for the single unnamed one
 * @param protocol the protocol of the port
 * @param family of its frontends and of its endpoints
 */
public record ServicePortKey(ObjectKey service, String port, Protocol protocol, IpFamily family)
    implements Comparable<ServicePortKey> {
  @Override
  public int compareTo(ServicePortKey other) {
    int byService = service.compareTo(other.service);
    if (byService != 0) {
      return byService;
    }
    int byPort = port.compareTo(other.port);
    if (byPort != 0) {
      return byPort;
    }
    int byProtocol = protocol.compareTo(other.protocol);
    return byProtocol != 0 ? byProtocol : family.compareTo(other.family);
  }

  // Written out for the same reason as in IpAddress.
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof ServicePortKey key
        && protocol == key.protocol
        && family == key.family
        && port.equals(key.port)
        && service.equals(key.service);
  }

  @Override
  public int hashCode() {
    int hash = 31 * service.hashCode() + port.hashCode();
    return 31 * (31 * hash + protocol.number()) + (family == IpFamily.IPV4 ? 0 : 1);
  }

  /** {@code namespace/name:port/protocol (family)}. */
  @Override
  public String toString() {
    return service
        + (port.isEmpty() ? "" : ":" + port)
        + "/"
        + protocol.lowerCase()
        + " ("
        + family
        + ")";
  }
}
