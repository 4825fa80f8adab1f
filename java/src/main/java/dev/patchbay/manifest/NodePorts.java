// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.model.ServicePort;
import java.util.List;

/**
 * The node ports of one Service.
 *
 * @param ports in the order of its ports, without those that have none
 * @param healthCheck its health check node port; 0 if it has none
 */
record NodePorts(List<Entry> ports, int healthCheck) {
  /** The node port of a port of the Service, which is known by its name and its number. */
  record Entry(String name, int port, int nodePort) {}

  static final NodePorts NONE = new NodePorts(List.of(), 0);

  NodePorts {
    ports = List.copyOf(ports);
  }

  /** The node port of a port; 0 if it has none. */
  int of(ServicePort port) {
    for (Entry entry : ports) {
      if (entry.port == port.port() && entry.name.equals(port.name())) {
        return entry.nodePort;
      }
    }
    return 0;
  }

  boolean isEmpty() {
    return ports.isEmpty() && healthCheck == 0;
  }
}
