// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.table;

import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.Protocol;
import org.jspecify.annotations.Nullable;

/**
 * Key of the {@code frontends} map: an address that clients connect to.
 *
 * @param address the Service address
 * @param port 1 to 65535; 0 in a wildcard, which stands for all ports that no other key names
 * @param protocol TCP or UDP; null in a wildcard
 * @param scope where it is reachable from
 */
public record FrontendKey(IpAddress address, int port, @Nullable Protocol protocol, Scope scope)
    implements Comparable<FrontendKey> {
  public FrontendKey {
    if (port < 0 || port > 65535 || (port == 0) != (protocol == null)) {
      throw new IllegalArgumentException("frontend " + address + " port " + port + " " + protocol);
    }
  }

  /**
   * The key of a node port: it is reached through every node address of its family, and named by
   * the unspecified address in place of them all.
   */
  public static FrontendKey nodePort(IpFamily family, int port, Protocol protocol) {
    return new FrontendKey(IpAddress.unspecified(family), port, protocol, Scope.INTERNAL);
  }

  /** The key that stands for every port of {@code address} that no other key names. */
  public static FrontendKey wildcard(IpAddress address) {
    return new FrontendKey(address, 0, null, Scope.INTERNAL);
  }

  /** Whether it is a node port, see {@link #nodePort}. */
  public boolean isNodePort() {
    return address.isUnspecified() && port != 0;
  }

  public boolean isWildcard() {
    return port == 0;
  }

  /** The IANA number, or 0 in a wildcard. */
  public int protocolNumber() {
    return protocol == null ? 0 : protocol.number();
  }

  @Override
  public int compareTo(FrontendKey other) {
    int byAddress = address.compareTo(other.address);
    if (byAddress != 0) {
      return byAddress;
    }
    int byPort = Integer.compare(port, other.port);
    if (byPort != 0) {
      return byPort;
    }
    int byProtocol = Integer.compare(protocolNumber(), other.protocolNumber());
    return byProtocol != 0 ? byProtocol : scope.compareTo(other.scope);
  }

  // Written out, like those of other keys: what a record is given runs through method handles,
  // which cost a start with many keys a good part of its time.
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof FrontendKey key
        && port == key.port
        && protocol == key.protocol
        && scope == key.scope
        && address.equals(key.address);
  }

  @Override
  public int hashCode() {
    return (31 * address.hashCode() + port) * 31
        + protocolNumber()
        + (scope == Scope.INTERNAL ? 0 : 256);
  }

  /** {@code 10.96.0.1:80/tcp}, {@code 10.96.0.1:*}, with {@code @external} where it applies. */
  @Override
  public String toString() {
    String where = scope == Scope.INTERNAL ? "" : "@external";
    if (protocol == null) {
      return address.withPort(0).replaceFirst(":0$", ":*") + where;
    }
    return address.withPort(port) + "/" + protocol.lowerCase() + where;
  }
}
