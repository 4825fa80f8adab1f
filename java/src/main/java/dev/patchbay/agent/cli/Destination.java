// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.cli;

import dev.patchbay.agent.UserError;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.Protocol;
import java.util.Optional;

/**
 * Where a client would connect to.
 *
 * @param address the address
 * @param port 1 to 65535
 * @param protocol TCP or UDP
 */
record Destination(IpAddress address, int port, Protocol protocol) {

  /**
   * Reads {@code ADDR:PORT}, {@code [ADDR]:PORT}, each with an optional {@code /tcp} or {@code
   * /udp}.
   */
  static Destination parse(String text) throws UserError {
    Protocol protocol = text.endsWith("/udp") ? Protocol.UDP : Protocol.TCP;
    String rest =
        text.endsWith("/udp") || text.endsWith("/tcp")
            ? text.substring(0, text.length() - 4)
            : text;
    int colon = rest.lastIndexOf(':');
    if (colon > 0 && rest.substring(colon + 1).matches("[0-9]{1,5}")) {
      String host = rest.substring(0, colon);
      boolean bracketed = host.startsWith("[") && host.endsWith("]");
      int port = Integer.parseInt(rest.substring(colon + 1));
      Optional<IpAddress> address =
          host.contains(":") == bracketed
              ? IpAddress.parse(bracketed ? host.substring(1, host.length() - 1) : host)
              : Optional.empty();
      if (address.isPresent() && port >= 1 && port <= 65535) {
        return new Destination(address.get(), port, protocol);
      }
    }
    throw UserError.usage(
        "cannot explain " + text,
        "not a destination",
        "write it like 10.96.0.10:53, 10.96.0.10:53/udp or [fd00:10:96::a]:53/udp");
  }

  @Override
  public String toString() {
    return address.withPort(port) + "/" + protocol.lowerCase();
  }
}
