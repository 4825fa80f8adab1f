// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.model;

/**
 * A port of an EndpointSlice.
 *
 * @param name matches {@link ServicePort#name()}; may be empty
 * @param protocol of the port
 * @param port 1 to 65535
 */
public record EndpointPort(String name, Protocol protocol, int port) {
  public EndpointPort {
    if (port < 1 || port > 65535) {
      throw new IllegalArgumentException("endpoint port " + port);
    }
  }
}
