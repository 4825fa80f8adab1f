// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.compile;

import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.Protocol;
import dev.patchbay.model.Service;
import dev.patchbay.model.ServicePort;
import dev.patchbay.model.ServicePortKey;
import dev.patchbay.model.ServiceState;
import dev.patchbay.model.ServiceType;
import dev.patchbay.table.Backend;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.Scope;
import dev.patchbay.table.ServiceRow;
import dev.patchbay.table.ServiceSettings;
import dev.patchbay.table.ServiceWord;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Compiles one Service: each of its cluster IPs times each TCP or UDP port is a frontend, and each
 * cluster IP has a wildcard that refuses its other ports. A headless Service and an ExternalName
 * have none of these.
 */
public final class ServiceCompiler {
  private ServiceCompiler() {}

  /** The rows of one Service on {@code node}, as if there were no other. */
  public static CompiledService compile(ServiceState state, NodeFacts node) {
    Service service = state.service();
    if (service.type() == ServiceType.EXTERNAL_NAME || service.clusterIps().isEmpty()) {
      return new CompiledService(List.of(), List.of(), List.of());
    }
    List<FrontendKey> refused = new ArrayList<>();
    List<ServiceRow> rows = new ArrayList<>();
    List<Rejection> rejections = new ArrayList<>();
    for (IpFamily family : IpFamily.values()) {
      List<IpAddress> addresses = addresses(service, family);
      if (addresses.isEmpty()) {
        continue;
      }
      addresses.forEach(address -> refused.add(FrontendKey.wildcard(address)));
      Set<ServicePortKey> seen = HashSet.newHashSet(service.ports().size());
      for (ServicePort port : service.ports()) {
        ServicePortKey key =
            new ServicePortKey(service.key(), port.name(), port.protocol(), family);
        if (port.protocol() == Protocol.SCTP) {
          rejections.add(new Rejection.ProtocolUnsupported(key));
        } else if (!seen.add(key)) {
          rejections.add(new Rejection.PortRepeated(key, port.port()));
        } else {
          rows.add(row(key, state, port, addresses, node, rejections));
        }
      }
    }
    return new CompiledService(rows, refused, rejections);
  }

  /** The cluster IPs of one family, sorted, each once. */
  private static List<IpAddress> addresses(Service service, IpFamily family) {
    List<IpAddress> addresses = new ArrayList<>(1);
    for (IpAddress address : service.clusterIps()) {
      if (address.family() == family && !addresses.contains(address)) {
        addresses.add(address);
      }
    }
    addresses.sort(null);
    return addresses;
  }

  private static ServiceRow row(
      ServicePortKey key,
      ServiceState state,
      ServicePort port,
      List<IpAddress> addresses,
      NodeFacts node,
      List<Rejection> rejections) {
    Service service = state.service();
    EndpointSelection.Choice choice =
        EndpointSelection.choose(
            service, port, key.family(), state.slices(), node, ServiceWord.MAX_COUNT);
    List<Backend> chosen = choice.chosen();
    if (choice.overLimit() > 0) {
      rejections.add(
          new Rejection.EndpointsOverLimit(key, chosen.size() + choice.overLimit(), chosen.size()));
    }
    List<FrontendKey> frontends = new ArrayList<>(addresses.size());
    for (IpAddress address : addresses) {
      frontends.add(new FrontendKey(address, port.port(), port.protocol(), Scope.INTERNAL));
    }
    return new ServiceRow(
        key, frontends, chosen, new ServiceSettings(service.affinitySeconds(), false));
  }
}
