// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.manifest.ManifestObject.ServiceObject;
import dev.patchbay.model.Problem.Severity;
import dev.patchbay.model.Protocol;
import dev.patchbay.model.Service;
import dev.patchbay.model.ServiceOptions;
import dev.patchbay.model.ServicePort;
import dev.patchbay.model.ServiceType;
import dev.patchbay.model.TrafficPolicy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads Services by the rules of the API server, as far as they concern the dataplane. */
final class ServiceTranslator {
  private static final String PROXY_NAME = "service.kubernetes.io/service-proxy-name";
  private static final String TOPOLOGY_MODE = "service.kubernetes.io/topology-mode";
  private static final String TOPOLOGY_HINTS = "service.kubernetes.io/topology-aware-hints";
  private static final int DEFAULT_AFFINITY_SECONDS = 10800;
  private static final int MAX_AFFINITY_SECONDS = 86400;

  private final PortRange nodePorts;
  private final ClusterIpFields clusterIps;

  ServiceTranslator(ManifestSettings settings) {
    this.nodePorts = settings.nodePorts();
    this.clusterIps = new ClusterIpFields(settings.serviceCidrs());
  }

  /** Reads a Service; null if it is left to another proxy. */
  @Nullable ServiceObject translate(Fields object, Metadata metadata) {
    String proxy = metadata.labels().get(PROXY_NAME);
    if (proxy != null) {
      object.report(
          Severity.NOTE,
          "metadata.labels[" + PROXY_NAME + "]",
          "leaves the Service to the proxy \"" + proxy + "\"; ignored");
      return null;
    }
    Fields spec = object.mapping("spec");
    if (spec == null) {
      if (!object.has("spec")) {
        object.error("spec", "is missing");
      }
      return null;
    }
    ServiceType type = type(spec);
    boolean headless = ClusterIpFields.isHeadless(spec);
    ClusterIpFields.Wanted wanted = clusterIps.read(spec, type, headless);
    if (type == ServiceType.EXTERNAL_NAME) {
      checkExternalName(spec);
    }
    Fields described = object.mapping("metadata");
    Map<String, String> annotations =
        described == null ? Map.of() : described.textMap("annotations");
    String distribution =
        spec.oneOf("trafficDistribution", "PreferClose", "PreferSameZone", "PreferSameNode");
    List<ServicePort> ports = ports(spec, type, headless);
    Service.Builder service =
        Service.builder(metadata.id().key())
            .type(type)
            .headless(headless)
            .ports(ports)
            .selector(spec.textMap("selector"))
            .affinitySeconds(affinitySeconds(spec))
            .publishNotReadyAddresses(spec.bool("publishNotReadyAddresses", false))
            .internalPolicy(internalPolicy(spec))
            .trafficDistribution(distribution)
            .options(ServiceOptions.read(annotations, object::error))
            .createdMillis(metadata.createdMillis())
            .origin(object.reporter().origin().toString());
    ExternalFields external = new ExternalFields(object, spec, type, nodePorts);
    external.read(ports, annotations, service);
    return new ServiceObject(
        metadata.id(),
        object.reporter().origin(),
        service.build(),
        wanted.families(),
        wanted.addresses(),
        external.opensNodePorts(),
        automaticTopology(object, annotations, distribution));
  }

  private static ServiceType type(Fields spec) {
    String text = spec.text("type");
    return switch (text) {
      case "", "ClusterIP" -> ServiceType.CLUSTER_IP;
      case "NodePort" -> ServiceType.NODE_PORT;
      case "LoadBalancer" -> ServiceType.LOAD_BALANCER;
      case "ExternalName" -> ServiceType.EXTERNAL_NAME;
      default -> {
        spec.error(
            "type",
            "\""
                + text
                + "\" is unknown; allowed are ClusterIP, NodePort, LoadBalancer and"
                + " ExternalName");
        yield ServiceType.CLUSTER_IP;
      }
    };
  }

  private static void checkExternalName(Fields spec) {
    String name = spec.requiredText("externalName");
    String bare = name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
    if (!bare.isEmpty() && !Names.isSubdomain(bare)) {
      spec.error(
          "externalName",
          "\"" + name + "\" is not a DNS name; allowed are " + Names.SUBDOMAIN_RULE);
    }
  }

  private static TrafficPolicy internalPolicy(Fields spec) {
    return spec.oneOf("internalTrafficPolicy", "Cluster", "Local").equals("Local")
        ? TrafficPolicy.LOCAL
        : TrafficPolicy.CLUSTER;
  }

  /** Whether an annotation asks the control plane to choose hints by the size of zones. */
  private static boolean automaticTopology(
      Fields object, Map<String, String> annotations, String distribution) {
    String mode = annotations.get(TOPOLOGY_MODE);
    String hints = annotations.get(TOPOLOGY_HINTS);
    String field = "metadata.annotations[" + (hints == null ? TOPOLOGY_MODE : TOPOLOGY_HINTS) + "]";
    if (mode != null && hints != null && !mode.equals(hints)) {
      object.error(field, "\"" + hints + "\" differs from " + TOPOLOGY_MODE + " \"" + mode + "\"");
    }
    String asked = hints == null ? mode : hints;
    if (asked == null || !(asked.equals("Auto") || asked.equals("auto"))) {
      return false;
    }
    object.report(
        Severity.NOTE,
        field,
        asked
            + " is not imitated: endpoints get no hints"
            + (distribution.isEmpty()
                ? ""
                : ", and beside it trafficDistribution has no effect, as in a cluster"));
    return true;
  }

  private static int affinitySeconds(Fields spec) {
    boolean wanted = spec.oneOf("sessionAffinity", "None", "ClientIP").equals("ClientIP");
    Fields config = spec.mapping("sessionAffinityConfig");
    Fields clientIp = config == null ? null : config.mapping("clientIP");
    int seconds =
        clientIp == null
            ? DEFAULT_AFFINITY_SECONDS
            : clientIp.integer("timeoutSeconds", 1, MAX_AFFINITY_SECONDS, DEFAULT_AFFINITY_SECONDS);
    return wanted ? seconds : 0;
  }

  private List<ServicePort> ports(Fields spec, ServiceType type, boolean headless) {
    List<Fields> items = Ports.items(spec);
    if (items.isEmpty()) {
      boolean optional = headless || type == ServiceType.EXTERNAL_NAME;
      if (!optional && !spec.reporter().failed()) {
        spec.error("ports", "is missing; at least one port is needed");
      }
      return List.of();
    }
    List<ServicePort> ports = new ArrayList<>(items.size());
    for (Fields item : items) {
      if (items.size() > 1 && !item.has("name")) {
        item.error("name", "is missing; each of several ports needs one");
      }
      ServicePort port = port(item, type);
      if (port == null) {
        continue;
      }
      for (ServicePort other : ports) {
        checkDistinct(item, port, other);
      }
      ports.add(port);
    }
    return ports;
  }

  private static void checkDistinct(Fields item, ServicePort port, ServicePort other) {
    if (!port.name().isEmpty() && port.name().equals(other.name())) {
      item.error("name", "\"" + port.name() + "\" is used by another port of the Service");
    }
    if (port.port() == other.port() && port.protocol() == other.protocol()) {
      item.error(
          "port", port.port() + "/" + port.protocol() + " is used by another port of the Service");
    }
    if (port.nodePort() != 0
        && port.nodePort() == other.nodePort()
        && port.protocol() == other.protocol()) {
      item.error(
          "nodePort",
          port.nodePort() + "/" + port.protocol() + " is used by another port of the Service");
    }
  }

  /** Reads a port; null if it has no valid number, which is reported. */
  private @Nullable ServicePort port(Fields item, ServiceType type) {
    String name = Ports.name(item);
    Protocol protocol = Ports.protocol(item);
    int port = Ports.requiredPort(item, "port");
    String targetPort = targetPort(item, port);
    int nodePort = nodePort(item, type);
    return port == 0 ? null : new ServicePort(name, protocol, port, targetPort, nodePort);
  }

  private static String targetPort(Fields item, int port) {
    Scalar target = item.integerOrText("targetPort");
    if (target == null) {
      return Integer.toString(port);
    }
    if (target.type() == Scalar.Type.INTEGER) {
      return Integer.toString(item.integer("targetPort", target, 1, Ports.MAX, port));
    }
    if (!Names.isPortName(target.text())) {
      item.error(
          "targetPort",
          "\""
              + target.text()
              + "\" is neither a number from 1 to "
              + Ports.MAX
              + " nor a port name; in names allowed are "
              + Names.PORT_NAME_RULE);
    }
    return target.text();
  }

  private int nodePort(Fields item, ServiceType type) {
    int nodePort = item.integer("nodePort", 0, Ports.MAX, 0);
    if (nodePort == 0) {
      return 0;
    }
    if (type != ServiceType.NODE_PORT && type != ServiceType.LOAD_BALANCER) {
      item.error(
          "nodePort",
          nodePort
              + " has no meaning for type "
              + type
              + "; NodePort or LoadBalancer"
              + " is needed");
    } else if (!nodePorts.contains(nodePort)) {
      item.error("nodePort", nodePorts.outside(nodePort));
    }
    return nodePort;
  }
}
