// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.manifest.ManifestObject.ContainerPort;
import dev.patchbay.manifest.ManifestObject.PodObject;
import dev.patchbay.manifest.ManifestObject.ServiceObject;
import dev.patchbay.model.Endpoint;
import dev.patchbay.model.EndpointPort;
import dev.patchbay.model.EndpointSlice;
import dev.patchbay.model.Hints;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.ServicePort;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Makes the endpoint slices of a Service from the Pods that it selects, as the endpoint slice
 * controller of Kubernetes does: one slice per family and per distinct set of port numbers, because
 * Pods may give a named port different numbers. Hints follow from {@code trafficDistribution} and
 * the zones of Nodes, as that controller makes them; unlike there a Pod whose Node is not known is
 * an endpoint all the same, because manifests for one machine seldom have Nodes.
 */
final class PodEndpoints {
  private static final Comparator<EndpointPort> PORT_ORDER =
      Comparator.comparing(EndpointPort::name)
          .thenComparing(EndpointPort::protocol)
          .thenComparingInt(EndpointPort::port);
  private static final Comparator<List<EndpointPort>> PORTS_ORDER = PodEndpoints::compare;

  private final ServiceObject service;
  private final Map<String, String> zones;
  private final boolean prefersNode;
  private final boolean prefersZone;
  private final Map<IpFamily, Map<List<EndpointPort>, List<Endpoint>>> groups = new HashMap<>();

  /** Names of Pods without an address of a wanted family. */
  final List<String> withoutAddress = new ArrayList<>();

  /** Names of Pods that have run to their end. */
  final List<String> finished = new ArrayList<>();

  /** Names of ready Pods that lack the zone that their hint would name. */
  final List<String> withoutZone = new ArrayList<>();

  /** For each port of the Service, by its place: the Pods that lack it. */
  final List<List<PodObject>> withoutPort = new ArrayList<>();

  /** For each port of the Service, by its place: how many Pods have it. */
  final int[] withPort;

  /**
   * Does it.
   *
   * @param zones of Nodes, by name
   */
  PodEndpoints(ServiceObject service, List<PodObject> pods, Map<String, String> zones) {
    this.service = service;
    this.zones = zones;
    String distribution = service.distribution();
    this.prefersNode = distribution.equals("PreferSameNode");
    this.prefersZone = !distribution.isEmpty() && !prefersNode;
    this.withPort = new int[service.written().ports().size()];
    service.written().ports().forEach(_ -> withoutPort.add(new ArrayList<>()));
    pods.forEach(this::add);
  }

  /** The slices, ordered by key. */
  List<EndpointSlice> slices() {
    List<EndpointSlice> slices = new ArrayList<>();
    for (IpFamily family : IpFamily.values()) {
      Map<List<EndpointPort>, List<Endpoint>> byPorts = groups.getOrDefault(family, Map.of());
      List<List<EndpointPort>> order = new ArrayList<>(byPorts.keySet());
      order.sort(PORTS_ORDER);
      for (int i = 0; i < order.size(); i++) {
        List<Endpoint> endpoints = new ArrayList<>(byPorts.getOrDefault(order.get(i), List.of()));
        endpoints.sort(Comparator.comparing(Endpoint::address));
        String name =
            service.key().name() + "-" + family.toString().toLowerCase(Locale.ROOT) + "-" + i;
        slices.add(
            new EndpointSlice(
                new ObjectKey(service.key().namespace(), name), family, order.get(i), endpoints));
      }
    }
    return slices;
  }

  private void add(PodObject pod) {
    if (pod.finished()) {
      finished.add(pod.key().name());
      return;
    }
    List<EndpointPort> ports = ports(pod);
    boolean ready = pod.ready() && !pod.terminating();
    boolean found = false;
    boolean hinted = ready || service.written().publishNotReadyAddresses();
    Hints hints = hinted ? hints(pod) : Hints.NONE;
    for (IpAddress address : pod.addresses()) {
      if (service.families().contains(address.family())) {
        found = true;
        groups
            .computeIfAbsent(address.family(), _ -> new HashMap<>())
            .computeIfAbsent(ports, _ -> new ArrayList<>())
            .add(
                new Endpoint(
                    address,
                    ready,
                    pod.ready(),
                    pod.terminating(),
                    pod.nodeName(),
                    pod.key().name(),
                    hints));
      }
    }
    if (!found) {
      withoutAddress.add(pod.key().name());
    } else if (hinted && prefersZone && hints.zones().isEmpty()) {
      withoutZone.add(pod.key().name());
    }
  }

  /** The hints of an endpoint whose condition is ready; those of others do not matter. */
  private Hints hints(PodObject pod) {
    if (!prefersNode && !prefersZone) {
      return Hints.NONE;
    }
    String zone = zones.getOrDefault(pod.nodeName(), "");
    boolean node = prefersNode && !pod.nodeName().isEmpty();
    return new Hints(
        zone.isEmpty() ? List.of() : List.of(zone), node ? List.of(pod.nodeName()) : List.of());
  }

  private List<EndpointPort> ports(PodObject pod) {
    List<EndpointPort> ports = new ArrayList<>(service.written().ports().size());
    for (int i = 0; i < service.written().ports().size(); i++) {
      ServicePort port = service.written().ports().get(i);
      int number = number(port, pod);
      if (number == 0) {
        withoutPort.get(i).add(pod);
      } else {
        withPort[i]++;
        ports.add(new EndpointPort(port.name(), port.protocol(), number));
      }
    }
    return ports;
  }

  /** The port of a Pod that a port of the Service means; 0 if the Pod has none of that name. */
  private static int number(ServicePort port, PodObject pod) {
    if (!isName(port.targetPort())) {
      return Integer.parseInt(port.targetPort());
    }
    for (ContainerPort candidate : pod.ports()) {
      if (candidate.name().equals(port.targetPort()) && candidate.protocol() == port.protocol()) {
        return candidate.port();
      }
    }
    return 0;
  }

  /** Whether a target port is a name; names have at least one letter. */
  static boolean isName(String targetPort) {
    for (int i = 0; i < targetPort.length(); i++) {
      if (targetPort.charAt(i) < '0' || targetPort.charAt(i) > '9') {
        return true;
      }
    }
    return false;
  }

  private static int compare(List<EndpointPort> left, List<EndpointPort> right) {
    for (int i = 0; i < Math.min(left.size(), right.size()); i++) {
      int byPort = PORT_ORDER.compare(left.get(i), right.get(i));
      if (byPort != 0) {
        return byPort;
      }
    }
    return Integer.compare(left.size(), right.size());
  }
}
