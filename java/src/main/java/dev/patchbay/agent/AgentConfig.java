// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import dev.patchbay.manifest.PortRange;
import dev.patchbay.model.Cidr;
import dev.patchbay.table.Capacity;
import java.nio.file.Path;
import java.util.List;

/**
 * All settings of the agent.
 *
 * @param manifests the directory of manifests
 * @param nodeName this node's name, in lower case
 * @param cgroup the cgroup v2 directory to attach to
 * @param bpfDir the bpffs directory for pins
 * @param stateDir what the agent remembers
 * @param serviceCidrs ranges for cluster IPs, one per family, the default family first
 * @param nodePorts range for node ports
 * @param healthz where to answer health checks
 * @param capacity sizes of the maps
 * @param once program, verify and end
 */
public record AgentConfig(
    Path manifests,
    String nodeName,
    Path cgroup,
    Path bpfDir,
    Path stateDir,
    List<Cidr> serviceCidrs,
    PortRange nodePorts,
    HostPort healthz,
    Capacity capacity,
    boolean once) {
  public AgentConfig {
    serviceCidrs = List.copyOf(serviceCidrs);
  }
}
