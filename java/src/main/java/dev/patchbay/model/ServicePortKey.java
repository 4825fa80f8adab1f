// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.model;

import java.util.Comparator;

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
  private static final Comparator<ServicePortKey> ORDER =
      Comparator.comparing(ServicePortKey::service)
          .thenComparing(ServicePortKey::port)
          .thenComparing(ServicePortKey::protocol)
          .thenComparing(ServicePortKey::family);

  @Override
  public int compareTo(ServicePortKey other) {
    return ORDER.compare(this, other);
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
