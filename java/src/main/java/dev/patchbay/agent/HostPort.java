// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import dev.patchbay.model.IpAddress;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Optional;

/**
 * An address to listen on.
 *
 * @param address a literal address
 * @param port 0 (any free port) to 65535
 */
public record HostPort(IpAddress address, int port) {

  /** Reads {@code 127.0.0.1:10249} or {@code [::1]:10249}; empty if malformed. */
  public static Optional<HostPort> parse(String text) {
    int colon = text.lastIndexOf(':');
    if (colon < 1 || !text.substring(colon + 1).matches("[0-9]{1,5}")) {
      return Optional.empty();
    }
    int port = Integer.parseInt(text.substring(colon + 1));
    String host = text.substring(0, colon);
    boolean bracketed = host.startsWith("[") && host.endsWith("]");
    if (port > 65535 || host.contains(":") != bracketed) {
      return Optional.empty();
    }
    return IpAddress.parse(bracketed ? host.substring(1, host.length() - 1) : host)
        .map(address -> new HostPort(address, port));
  }

  /** The same for the JDK. */
  public InetSocketAddress toSocketAddress() {
    try {
      return new InetSocketAddress(InetAddress.getByName(address.toString()), port);
    } catch (UnknownHostException e) {
      throw new IllegalStateException("a literal address was looked up: " + address, e);
    }
  }

  @Override
  public String toString() {
    return address.withPort(port);
  }
}
