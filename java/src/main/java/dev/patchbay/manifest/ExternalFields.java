// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.model.Cidr;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.Problem.Severity;
import dev.patchbay.model.Service;
import dev.patchbay.model.ServicePort;
import dev.patchbay.model.ServiceType;
import dev.patchbay.model.TrafficPolicy;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads what is about addresses of a Service other than its cluster IP: {@code externalIPs}, those
 * of its load balancer, and who may use them.
 */
final class ExternalFields {
  private static final String SOURCE_RANGES =
      "service.beta.kubernetes.io/load-balancer-source-ranges";
  private static final String ANNOTATION_FIELD = "metadata.annotations[" + SOURCE_RANGES + "]";
  private static final String OUTSIDE =
      " acts on traffic from outside the cluster only, which this version does not serve";

  private final Fields object;
  private final Fields spec;
  private final ServiceType type;
  private final PortRange nodePorts;

  /** For a Service of a type; {@code nodePorts} is the range that node ports must lie in. */
  ExternalFields(Fields object, Fields spec, ServiceType type, PortRange nodePorts) {
    this.object = object;
    this.spec = spec;
    this.type = type;
    this.nodePorts = nodePorts;
  }

  /**
   * Reads them.
   *
   * @param ports of the Service, with the node ports written
   * @param annotations of the Service
   */
  void read(List<ServicePort> ports, Map<String, String> annotations, Service.Builder into) {
    TrafficPolicy policy = policy();
    into.externalIps(externalIps())
        .externalPolicy(policy)
        .sourceRanges(sourceRanges(annotations))
        .healthCheckNodePort(healthCheckNodePort(policy, ports));
    loadBalancer(into);
    note(into);
  }

  /** Whether ports without a node port get one. */
  boolean opensNodePorts() {
    boolean allocate = spec.bool("allocateLoadBalancerNodePorts", true);
    if (spec.has("allocateLoadBalancerNodePorts")) {
      onlyForLoadBalancer(spec, "allocateLoadBalancerNodePorts");
    }
    return type == ServiceType.NODE_PORT || (type == ServiceType.LOAD_BALANCER && allocate);
  }

  private List<IpAddress> externalIps() {
    List<String> texts = spec.texts("externalIPs");
    Set<IpAddress> addresses = new LinkedHashSet<>();
    for (int i = 0; i < texts.size(); i++) {
      String path = "externalIPs[" + i + "]";
      IpAddress address = Addresses.readExternal(spec, path, texts.get(i));
      if (address != null) {
        addresses.add(address);
      }
    }
    return List.copyOf(addresses);
  }

  private TrafficPolicy policy() {
    String text = spec.oneOf("externalTrafficPolicy", "Cluster", "Local");
    boolean reachable =
        type == ServiceType.NODE_PORT
            || type == ServiceType.LOAD_BALANCER
            || (type == ServiceType.CLUSTER_IP && !spec.texts("externalIPs").isEmpty());
    if (!text.isEmpty() && !reachable) {
      spec.error(
          "externalTrafficPolicy",
          text
              + " has no meaning for type "
              + type
              + (type == ServiceType.CLUSTER_IP ? " without externalIPs" : "")
              + "; NodePort or LoadBalancer is needed");
    }
    return text.equals("Local") ? TrafficPolicy.LOCAL : TrafficPolicy.CLUSTER;
  }

  private List<Cidr> sourceRanges(Map<String, String> annotations) {
    List<String> texts = spec.texts("loadBalancerSourceRanges");
    List<Cidr> ranges = new ArrayList<>(texts.size());
    if (!texts.isEmpty()) {
      onlyForLoadBalancer(spec, "loadBalancerSourceRanges");
      for (int i = 0; i < texts.size(); i++) {
        range(spec, "loadBalancerSourceRanges[" + i + "]", texts.get(i), ranges);
      }
      return ranges;
    }
    String annotation = annotations.get(SOURCE_RANGES);
    if (annotation != null) {
      onlyForLoadBalancer(object, ANNOTATION_FIELD);
      if (!annotation.isBlank()) {
        for (String text : annotation.split(",", -1)) {
          range(object, ANNOTATION_FIELD, text, ranges);
        }
      }
    }
    return ranges;
  }

  /** White space around a range is part of the API. */
  private static void range(Fields fields, String path, String text, List<Cidr> into) {
    Cidr range = Addresses.readRange(fields, path, text.strip());
    if (range != null) {
      into.add(range);
    }
  }

  private int healthCheckNodePort(TrafficPolicy policy, List<ServicePort> ports) {
    int port = spec.integer("healthCheckNodePort", 0, Ports.MAX, 0);
    if (port == 0) {
      return 0;
    }
    if (type != ServiceType.LOAD_BALANCER || policy != TrafficPolicy.LOCAL) {
      spec.error(
          "healthCheckNodePort",
          port + " has no meaning; type LoadBalancer and externalTrafficPolicy Local are needed");
    } else if (!nodePorts.contains(port)) {
      spec.error("healthCheckNodePort", nodePorts.outside(port));
    } else if (ports.stream().anyMatch(p -> p.nodePort() == port)) {
      spec.error("healthCheckNodePort", port + " is the node port of a port of the Service");
    }
    return port;
  }

  private void loadBalancer(Service.Builder into) {
    Fields status = object.mapping("status");
    Fields loadBalancer = status == null ? null : status.mapping("loadBalancer");
    List<Fields> ingress = loadBalancer == null ? List.of() : loadBalancer.mappings("ingress");
    if (loadBalancer == null || ingress.isEmpty()) {
      return;
    }
    if (type != ServiceType.LOAD_BALANCER) {
      loadBalancer.report(
          Severity.NOTE, "ingress", "has no effect for type " + type + ", only for LoadBalancer");
      return;
    }
    Set<IpAddress> served = new LinkedHashSet<>();
    Set<IpAddress> proxied = new LinkedHashSet<>();
    for (Fields item : ingress) {
      String mode = item.oneOf("ipMode", "VIP", "Proxy");
      String text = item.text("ip");
      if (text.isEmpty()) {
        if (!mode.isEmpty()) {
          item.error("ipMode", mode + " has no meaning without ip");
        }
        continue; // a host name, which leads to addresses that are not known here
      }
      IpAddress address = Addresses.readServed(item, "ip", text);
      if (address != null) {
        (mode.equals("Proxy") ? proxied : served).add(address);
      }
    }
    into.loadBalancerIps(List.copyOf(served)).proxiedLoadBalancerIps(List.copyOf(proxied));
  }

  private void onlyForLoadBalancer(Fields fields, String field) {
    if (type != ServiceType.LOAD_BALANCER) {
      fields.error(field, "has no meaning for type " + type + "; LoadBalancer is needed");
    }
  }

  /** Says what is valid but has no effect, so that nobody has to find out by trying. */
  private void note(Service.Builder into) {
    if (spec.reporter().failed()) {
      return;
    }
    Service service = into.build();
    boolean local = service.externalPolicy() == TrafficPolicy.LOCAL;
    boolean restricted = !service.sourceRanges().isEmpty();
    if (!service.externalIps().isEmpty()
        && (service.headless() || type == ServiceType.EXTERNAL_NAME)) {
      spec.report(
          Severity.NOTE,
          "externalIPs",
          "have no effect: the Service is "
              + (service.headless() ? "headless" : "an ExternalName"));
    } else if (local) {
      spec.report(
          Severity.NOTE,
          "externalTrafficPolicy",
          "Local" + (restricted ? ", like loadBalancerSourceRanges," : "") + OUTSIDE);
    } else if (restricted && spec.has("loadBalancerSourceRanges")) {
      spec.report(Severity.NOTE, "loadBalancerSourceRanges", OUTSIDE.strip());
    } else if (restricted) {
      object.report(Severity.NOTE, ANNOTATION_FIELD, OUTSIDE.strip());
    }
  }
}
