// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import dev.patchbay.agent.metrics.SeriesLimits;
import dev.patchbay.manifest.PortRange;
import dev.patchbay.model.Cidr;
import dev.patchbay.model.NodePortAddresses;
import dev.patchbay.table.Capacity;
import java.net.URI;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * All settings of the agent.
 *
 * @param source where Services come from
 * @param nodeName this node's name, in lower case
 * @param cgroup the cgroup v2 directory to attach to
 * @param bpfDir the bpffs directory for pins
 * @param stateDir what the agent remembers
 * @param nodePortAddresses at which of the node's addresses node ports are served
 * @param externalRanges where external addresses of Services are served
 * @param healthz where to answer health checks
 * @param metrics where to answer scrapes
 * @param series how much is told of single Services
 * @param hardFail whether to end if one of both is not possible
 * @param capacity sizes of the maps
 * @param connectDurations whether to time connections for metrics
 * @param once program, verify and end
 * @param settings all of it by the names of the options, for people: texts, numbers, truth values
 *     and lists of texts, without secrets
 */
public record AgentConfig(
    SourceSettings source,
    String nodeName,
    Path cgroup,
    Path bpfDir,
    Path stateDir,
    NodePortAddresses nodePortAddresses,
    List<Cidr> externalRanges,
    HostPort healthz,
    HostPort metrics,
    SeriesLimits series,
    boolean hardFail,
    Capacity capacity,
    boolean connectDurations,
    boolean once,
    Map<String, Object> settings) {

  public AgentConfig {
    settings = Collections.unmodifiableMap(new LinkedHashMap<>(settings));
  }

  /** Where Services come from. */
  public sealed interface SourceSettings {
    /**
     * A directory of manifests.
     *
     * @param directory the directory
     * @param serviceCidrs ranges for cluster IPs, one per family, the default family first
     * @param nodePorts range for node ports
     */
    record Manifests(Path directory, List<Cidr> serviceCidrs, PortRange nodePorts)
        implements SourceSettings {
      public Manifests {
        serviceCidrs = List.copyOf(serviceCidrs);
      }
    }

    /**
     * A cluster.
     *
     * @param kubeconfig how to reach it; null: as a Pod of it does
     * @param apiServers where to reach it, in place of what the configuration says; may be empty
     */
    record Cluster(@Nullable Path kubeconfig, List<URI> apiServers) implements SourceSettings {
      public Cluster {
        apiServers = List.copyOf(apiServers);
      }
    }
  }
}
