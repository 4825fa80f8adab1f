// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.watch;

import dev.patchbay.model.ClusterSnapshot;
import dev.patchbay.model.Endpoint;
import dev.patchbay.model.EndpointSlice;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.ServicePort;
import dev.patchbay.model.ServicePortKey;
import dev.patchbay.model.ServiceState;
import dev.patchbay.model.TrafficPolicy;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The names of Service ports and Pods, as a snapshot has them. Immutable. */
public final class Names {
  private final Map<Long, ServicePortKey> ports = new HashMap<>();
  private final Map<IpAddress, ObjectKey> clusterIps = new HashMap<>();
  private final Map<IpAddress, ObjectKey> pods = new HashMap<>();

  /** Those of a cluster. */
  public Names(ClusterSnapshot cluster) {
    for (ServiceState state : cluster.services().values()) {
      for (ServicePort port : state.service().ports()) {
        for (IpFamily family : IpFamily.values()) {
          for (TrafficPolicy policy : TrafficPolicy.values()) {
            ServicePortKey key =
                new ServicePortKey(state.key(), port.name(), port.protocol(), family, policy);
            ports.put(key.statsId(), key);
          }
        }
      }
      state.service().clusterIps().forEach(address -> clusterIps.put(address, state.key()));
      for (EndpointSlice slice : state.slices()) {
        for (Endpoint endpoint : slice.endpoints()) {
          if (!endpoint.target().isEmpty()) {
            pods.put(endpoint.address(), new ObjectKey(state.key().namespace(), endpoint.target()));
          }
        }
      }
    }
  }

  /** The Service port that is counted by an id; null if it is not known. */
  public @Nullable ServicePortKey port(long statsId) {
    return ports.get(statsId);
  }

  /** The Service that has a cluster IP; null if none is known. */
  public @Nullable ObjectKey service(IpAddress clusterIp) {
    return clusterIps.get(clusterIp);
  }

  /** The Pod that has an address, if it is an endpoint of a Service; null if none is known. */
  public @Nullable ObjectKey pod(IpAddress address) {
    return pods.get(address);
  }
}
