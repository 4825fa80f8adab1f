// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.manifest.ManifestObject.ContainerPort;
import dev.patchbay.manifest.ManifestObject.EndpointsObject;
import dev.patchbay.manifest.ManifestObject.PodObject;
import dev.patchbay.manifest.ManifestObject.ServiceObject;
import dev.patchbay.manifest.ManifestObject.SliceObject;
import dev.patchbay.model.EndpointPort;
import dev.patchbay.model.EndpointSlice;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.Problem;
import dev.patchbay.model.Problem.Severity;
import dev.patchbay.model.Service;
import dev.patchbay.model.ServicePort;
import dev.patchbay.model.ServiceState;
import dev.patchbay.model.ServiceType;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Finds the endpoints of one Service, as the controllers of a cluster would:
 *
 * <ul>
 *   <li>EndpointSlices that name the Service are used. Those that a cluster's controllers made are
 *       used only where what they were made from is not here.
 *   <li>A selector stands for the Pods that match.
 *   <li>Without a selector, Endpoints of the same name are mirrored, and add to slices that were
 *       written.
 * </ul>
 *
 * A pure function; an instance serves one call.
 */
final class ServiceResolver {
  /**
   * What surrounds a Service: null where there is nothing.
   *
   * @param slices that name the Service
   * @param endpoints of its name
   * @param pods of its namespace
   * @param zones of Nodes, by name
   */
  record Surroundings(
      Collection<SliceObject> slices,
      @Nullable EndpointsObject endpoints,
      @Nullable PodIndex pods,
      Map<String, String> zones) {}

  /**
   * What a Service was given.
   *
   * @param addresses its cluster IPs
   * @param addressRefusals those it was not given
   * @param nodePorts its node ports
   * @param nodePortRefusals those it was not given
   */
  record Given(
      List<IpAddress> addresses,
      List<ClusterIpAllocator.Refusal> addressRefusals,
      NodePorts nodePorts,
      List<NodePortAllocator.Refusal> nodePortRefusals) {}

  /**
   * The outcome.
   *
   * @param problems of this Service alone
   * @param nearMiss whether the outcome depends on Pods that do not match the selector
   */
  record Resolution(ServiceState state, List<Problem> problems, boolean nearMiss) {}

  private final ServiceObject service;
  private final Surroundings surroundings;
  private final List<EndpointSlice> slices = new ArrayList<>();
  private final List<String> notes = new ArrayList<>();
  private final List<Problem> problems = new ArrayList<>(0);
  private boolean nearMiss;

  private ServiceResolver(ServiceObject service, Surroundings surroundings) {
    this.service = service;
    this.surroundings = surroundings;
  }

  /** Resolves a Service. */
  static Resolution resolve(ServiceObject service, Given given, Surroundings surroundings) {
    ServiceResolver resolver = new ServiceResolver(service, surroundings);
    given.addressRefusals().forEach(resolver::refused);
    given.nodePortRefusals().forEach(resolver::refused);
    if (service.written().type() != ServiceType.EXTERNAL_NAME) {
      resolver.endpoints();
    }
    return new Resolution(
        new ServiceState(resolver.service(given), resolver.slices, resolver.notes),
        resolver.problems,
        resolver.nearMiss);
  }

  private Service service(Given given) {
    List<ServicePort> ports = new ArrayList<>(service.written().ports().size());
    for (ServicePort port : service.written().ports()) {
      ports.add(port.withNodePort(given.nodePorts().of(port)));
    }
    return service.written().toBuilder()
        .clusterIps(given.addresses())
        .ports(ports)
        .healthCheckNodePort(given.nodePorts().healthCheck())
        .build();
  }

  private void refused(ClusterIpAllocator.Refusal refusal) {
    String reason;
    if (refusal.owner() == null) {
      reason = "no " + refusal.family() + " address is left in the service range";
    } else {
      reason = refusal.address() + " is taken by Service " + refusal.owner();
      if (refusal.kept() != null) {
        reason += "; the Service stays at " + refusal.kept();
      }
    }
    notes.add("cluster IP: " + reason);
    problem(Severity.ERROR, "spec.clusterIP", reason);
  }

  private void refused(NodePortAllocator.Refusal refusal) {
    String reason;
    if (refusal.owner() == null) {
      reason = "no number is left in the range of node ports";
    } else {
      reason = refusal.demanded() + " is taken by Service " + refusal.owner();
      if (refusal.kept() != 0) {
        reason += "; the port stays at " + refusal.kept();
      }
    }
    notes.add(refusal.field() + ": " + reason);
    problem(Severity.ERROR, refusal.field(), reason);
  }

  private void endpoints() {
    List<SliceObject> written = new ArrayList<>();
    List<SliceObject> generated = new ArrayList<>();
    for (SliceObject slice : surroundings.slices()) {
      (slice.generated() ? generated : written).add(slice);
    }
    written.forEach(s -> slices.add(s.slice()));
    if (service.written().selector().isEmpty()) {
      withoutSelector(generated);
    } else {
      withSelector(generated);
    }
    if (!slices.isEmpty()) {
      slices.sort(Comparator.comparing(EndpointSlice::key));
      checkPorts();
      checkReadiness();
    }
  }

  private void withoutSelector(List<SliceObject> generated) {
    EndpointsObject endpoints = surroundings.endpoints();
    if (endpoints == null) {
      generated.forEach(s -> slices.add(s.slice()));
    } else {
      slices.addAll(endpoints.slices());
    }
    if (slices.isEmpty() && endpoints == null) {
      notes.add(
          "the Service has no selector, and there are neither Endpoints of its name nor"
              + " EndpointSlices labelled kubernetes.io/service-name: "
              + service.key().name());
    }
  }

  private void withSelector(List<SliceObject> generated) {
    PodIndex index = surroundings.pods();
    List<PodObject> pods = index == null ? List.of() : index.select(service.written().selector());
    if (!pods.isEmpty()) {
      PodEndpoints endpoints = new PodEndpoints(service, pods, surroundings.zones());
      slices.addAll(endpoints.slices());
      explain(endpoints, pods.size());
      return;
    }
    generated.forEach(s -> slices.add(s.slice()));
    if (slices.isEmpty()) {
      nearMiss = true;
      String reason = NearMiss.describe(service, index);
      notes.add(reason);
      problem(Severity.WARNING, "spec.selector", reason);
      if (surroundings.endpoints() != null) {
        notes.add("Endpoints of the same name are not used, because the Service has a selector");
      }
    }
  }

  private void explain(PodEndpoints endpoints, int pods) {
    if (!endpoints.finished.isEmpty()) {
      notes.add(
          NearMiss.pods(endpoints.finished)
              + (endpoints.finished.size() == 1
                  ? " has run to its end and is no endpoint"
                  : " have run to their end and are no endpoints"));
    }
    if (!endpoints.withoutAddress.isEmpty()) {
      List<IpFamily> families = service.families();
      String family = families.size() == 1 ? families.getFirst().toString() : "IP";
      notes.add(podsHave(endpoints.withoutAddress) + " no " + family + " address");
    }
    if (!endpoints.withoutZone.isEmpty()) {
      notes.add(
          NearMiss.pods(endpoints.withoutZone)
              + (endpoints.withoutZone.size() == 1 ? " runs on a node" : " run on nodes")
              + " of unknown zone, so trafficDistribution "
              + service.distribution()
              + " has no effect");
    }
    for (int i = 0; i < service.written().ports().size(); i++) {
      List<PodObject> without = endpoints.withoutPort.get(i);
      if (without.isEmpty()) {
        continue;
      }
      String port = port(service.written().ports().get(i)) + named(without);
      String reason = podsHave(without.stream().map(p -> p.key().name()).toList()) + " no " + port;
      notes.add(reason);
      if (endpoints.withPort[i] == 0) {
        problem(
            Severity.WARNING,
            "spec.ports[" + i + "].targetPort",
            pods == 1 ? reason : "none of the " + pods + " Pods selected has a " + port);
      }
    }
  }

  private static String podsHave(List<String> names) {
    return NearMiss.pods(names) + (names.size() == 1 ? " has" : " have");
  }

  private static String port(ServicePort port) {
    return port.protocol() + " port named \"" + port.targetPort() + "\"";
  }

  /** How the ports of the first of these Pods are called. */
  private static String named(List<PodObject> pods) {
    PodObject first = pods.getFirst();
    String whose = pods.size() == 1 ? "; its ports" : "; those of " + first.key().name();
    TreeSet<String> names = new TreeSet<>();
    for (ContainerPort port : first.ports()) {
      if (!port.name().isEmpty()) {
        names.add("\"" + port.name() + "\" (" + port.protocol() + ")");
      }
    }
    return names.isEmpty()
        ? whose + " have no names"
        : whose + " are named " + String.join(", ", names);
  }

  /** Notes ports of the Service that no slice serves though there are slices. */
  private void checkPorts() {
    for (int i = 0; i < service.written().ports().size(); i++) {
      ServicePort port = service.written().ports().get(i);
      TreeSet<String> others = new TreeSet<>();
      boolean found = false;
      for (EndpointSlice slice : slices) {
        for (EndpointPort other : slice.ports()) {
          found |= other.name().equals(port.name()) && other.protocol() == port.protocol();
          others.add(name(other.name()) + " (" + other.protocol() + ")");
        }
      }
      boolean explained =
          !service.written().selector().isEmpty() && PodEndpoints.isName(port.targetPort());
      if (!found && !explained) {
        String reason =
            "no endpoint has the port "
                + name(port.name())
                + " ("
                + port.protocol()
                + ")"
                + (others.isEmpty()
                    ? "; there are no ports"
                    : "; there is " + String.join(", ", others));
        notes.add(reason);
        problem(Severity.WARNING, "spec.ports[" + i + "].name", reason);
      }
    }
  }

  private static String name(String port) {
    return port.isEmpty() ? "without name" : "\"" + port + "\"";
  }

  private void checkReadiness() {
    int all = 0;
    boolean ready = service.written().publishNotReadyAddresses();
    for (EndpointSlice slice : slices) {
      all += slice.endpoints().size();
      for (int i = 0; i < slice.endpoints().size() && !ready; i++) {
        ready = slice.endpoints().get(i).ready();
      }
    }
    if (all == 0) {
      notes.add("there are no endpoints");
    } else if (!ready) {
      notes.add(
          all == 1
              ? "there is one endpoint, and it is not ready"
              : "there are " + all + " endpoints, and none is ready");
    }
  }

  private void problem(Severity severity, String field, String reason) {
    problems.add(
        new Problem(
            severity,
            service.origin().file(),
            service.origin().document(),
            service.id().toString(),
            field,
            reason));
  }
}
