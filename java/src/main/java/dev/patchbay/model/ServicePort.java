// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.model;

/**
 * A port of a Service.
 *
 * @param name empty for the single unnamed port
 * @param protocol of the port
 * @param port the port that clients connect to, 1 to 65535
 * @param targetPort as written: a number, a port name, or the port itself where nothing was written
 * @param nodePort 1 to 65535, or 0 if there is none
 */
public record ServicePort(
    String name, Protocol protocol, int port, String targetPort, int nodePort) {
  public ServicePort {
    if (port < 1 || port > 65535 || nodePort < 0 || nodePort > 65535) {
      throw new IllegalArgumentException("service port " + port + " node port " + nodePort);
    }
  }

  public ServicePort withNodePort(int other) {
    return other == nodePort ? this : new ServicePort(name, protocol, port, targetPort, other);
  }
}
