// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.model.IpAddress;
import dev.patchbay.model.ObjectKey;
import java.util.List;
import java.util.Map;

/**
 * What Services were given, and keep over restarts.
 *
 * @param clusterIps by Service
 * @param nodePorts by Service
 */
record Assignments(
    Map<ObjectKey, List<IpAddress>> clusterIps, Map<ObjectKey, NodePorts> nodePorts) {
  static final Assignments NONE = new Assignments(Map.of(), Map.of());
}
