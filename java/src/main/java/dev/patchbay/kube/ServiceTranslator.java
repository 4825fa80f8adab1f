// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import dev.patchbay.kube.KubeObject.ServiceObject;
import dev.patchbay.model.Cidr;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.Protocol;
import dev.patchbay.model.Service;
import dev.patchbay.model.ServiceOptions;
import dev.patchbay.model.ServicePort;
import dev.patchbay.model.ServiceType;
import dev.patchbay.model.TrafficPolicy;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Turns Services of the API into ours, by the rules of kube-proxy ({@code newBaseServiceInfo}) and
 * as lenient as that: what an API server lets through is either used as kube-proxy uses it, or left
 * out with a finding, and never keeps the rest from working.
 */
final class ServiceTranslator {
  /** {@code spec.clusterIP} of a headless Service. */
  private static final String NONE = "None";

  private static final int DEFAULT_AFFINITY_SECONDS = 10800;
  private static final int MAX_AFFINITY_SECONDS = 86400;

  private ServiceTranslator() {}

  static ServiceObject translate(ApiService from) {
    Findings findings = from.meta.findings;
    ServiceType type = type(from, findings);
    boolean headless = from.clusterIp.equals(NONE) || from.clusterIps.contains(NONE);
    List<IpAddress> clusterIps =
        headless || type == ServiceType.EXTERNAL_NAME ? List.of() : clusterIps(from, findings);
    List<IpAddress> vips = new ArrayList<>(0);
    List<IpAddress> proxied = new ArrayList<>(0);
    loadBalancer(from, findings, vips, proxied);
    Service.Builder service =
        Service.builder(from.meta.key())
            .type(type)
            .headless(headless)
            .clusterIps(clusterIps)
            .ports(ports(from, findings))
            .affinitySeconds(affinitySeconds(from, findings))
            .internalPolicy(
                policy(from.internalTrafficPolicy, "spec.internalTrafficPolicy", findings))
            .trafficDistribution(from.trafficDistribution)
            .externalIps(externalIps(from, findings))
            .loadBalancerIps(vips)
            .proxiedLoadBalancerIps(proxied)
            .sourceRanges(sourceRanges(from, findings))
            .options(ServiceOptions.read(from.meta.annotations, findings::warning))
            .createdMillis(from.meta.createdMillis)
            .origin("the cluster");
    TrafficPolicy external =
        policy(from.externalTrafficPolicy, "spec.externalTrafficPolicy", findings);
    if (external == TrafficPolicy.LOCAL && service.build().isExternallyReachable()) {
      service.externalPolicy(TrafficPolicy.LOCAL);
      if (type == ServiceType.LOAD_BALANCER) {
        service.healthCheckNodePort(healthCheckNodePort(from, findings));
      }
    }
    return new ServiceObject(from.meta.key(), from.meta.uid, service.build(), findings.list());
  }

  private static ServiceType type(ApiService from, Findings findings) {
    return switch (from.type) {
      case "", "ClusterIP" -> ServiceType.CLUSTER_IP;
      case "NodePort" -> ServiceType.NODE_PORT;
      case "LoadBalancer" -> ServiceType.LOAD_BALANCER;
      case "ExternalName" -> ServiceType.EXTERNAL_NAME;
      default -> {
        findings.warning("spec.type", "\"" + from.type + "\" is unknown; taken for ClusterIP");
        yield ServiceType.CLUSTER_IP;
      }
    };
  }

  /** One address for each family, in the order of the families. */
  private static List<IpAddress> clusterIps(ApiService from, Findings findings) {
    List<String> texts =
        !from.clusterIps.isEmpty()
            ? from.clusterIps
            : from.clusterIp.isEmpty() ? List.of() : List.of(from.clusterIp);
    List<IpAddress> addresses = new ArrayList<>(texts.size());
    Set<IpFamily> families = new HashSet<>();
    for (int i = 0; i < texts.size(); i++) {
      String path = "spec.clusterIPs[" + i + "]";
      IpAddress address = address(texts.get(i), path, findings);
      if (address == null) {
        continue;
      }
      String wanted = i < from.ipFamilies.size() ? from.ipFamilies.get(i) : "";
      if (!wanted.isEmpty() && !wanted.equals(address.family().toString())) {
        findings.error(
            path, address + " is no " + wanted + " address, as spec.ipFamilies says; ignored");
      } else if (!families.add(address.family())) {
        findings.error(path, address + " is a second " + address.family() + " address; ignored");
      } else {
        addresses.add(address);
      }
    }
    return addresses;
  }

  private static List<ServicePort> ports(ApiService from, Findings findings) {
    List<ServicePort> ports = new ArrayList<>(from.ports.size());
    Set<String> names = new HashSet<>();
    Set<Long> numbers = new HashSet<>();
    for (int i = 0; i < from.ports.size(); i++) {
      ApiService.Port port = from.ports.get(i);
      String path = "spec.ports[" + i + "]";
      Optional<Protocol> protocol = Protocols.parse(port.protocol);
      if (protocol.isEmpty()) {
        findings.error(path + ".protocol", "\"" + port.protocol + "\" is unknown; port ignored");
      } else if (port.port < 1 || port.port > 65535) {
        findings.error(path + ".port", port.port + " is no port number; port ignored");
      } else if (!names.add(port.name + "/" + port.protocol)) {
        findings.error(path + ".name", "\"" + port.name + "\" is used twice; port ignored");
      } else if (!numbers.add((long) protocol.get().number() << 16 | port.port)) {
        findings.error(
            path + ".port", port.port + "/" + port.protocol + " is used twice; port ignored");
      } else {
        int nodePort = port.nodePort;
        if (nodePort < 0 || nodePort > 65535) {
          findings.error(path + ".nodePort", nodePort + " is no port number; ignored");
          nodePort = 0;
        }
        ports.add(new ServicePort(port.name, protocol.get(), port.port, port.targetPort, nodePort));
      }
    }
    return ports;
  }

  private static int affinitySeconds(ApiService from, Findings findings) {
    if (!from.sessionAffinity.equals("ClientIP")) {
      if (!from.sessionAffinity.isEmpty() && !from.sessionAffinity.equals("None")) {
        findings.warning(
            "spec.sessionAffinity", "\"" + from.sessionAffinity + "\" is unknown; ignored");
      }
      return 0;
    }
    Integer seconds = from.affinitySeconds;
    if (seconds == null) {
      return DEFAULT_AFFINITY_SECONDS;
    }
    if (seconds < 1 || seconds > MAX_AFFINITY_SECONDS) {
      findings.warning(
          "spec.sessionAffinityConfig.clientIP.timeoutSeconds",
          seconds + " is not from 1 to " + MAX_AFFINITY_SECONDS + "; the nearest is used");
    }
    return Math.clamp(seconds, 1, MAX_AFFINITY_SECONDS);
  }

  private static TrafficPolicy policy(String text, String path, Findings findings) {
    return switch (text) {
      case "", "Cluster" -> TrafficPolicy.CLUSTER;
      case "Local" -> TrafficPolicy.LOCAL;
      default -> {
        findings.warning(path, "\"" + text + "\" is unknown; taken for Cluster");
        yield TrafficPolicy.CLUSTER;
      }
    };
  }

  private static List<IpAddress> externalIps(ApiService from, Findings findings) {
    List<IpAddress> addresses = new ArrayList<>(from.externalIps.size());
    for (int i = 0; i < from.externalIps.size(); i++) {
      String text = from.externalIps.get(i);
      if (text.isBlank()) {
        continue; // the API server lets it through, and kube-proxy does not mention it
      }
      IpAddress address = address(text, "spec.externalIPs[" + i + "]", findings);
      if (address != null && !addresses.contains(address)) {
        addresses.add(address);
      }
    }
    return addresses;
  }

  private static void loadBalancer(
      ApiService from, Findings findings, List<IpAddress> vips, List<IpAddress> proxied) {
    for (int i = 0; i < from.ingress.size(); i++) {
      ApiService.Ingress ingress = from.ingress.get(i);
      if (ingress.ip.isEmpty()) {
        continue; // a host name
      }
      String path = "status.loadBalancer.ingress[" + i + "].ip";
      IpAddress address = address(ingress.ip, path, findings);
      if (address == null) {
        continue;
      }
      boolean vip = ingress.ipMode.isEmpty() || ingress.ipMode.equals("VIP");
      List<IpAddress> into = vip ? vips : proxied;
      if (!into.contains(address)) {
        into.add(address);
      }
    }
  }

  /**
   * The ranges that restrict. One that spans a whole family lifts the restriction for that family,
   * so none of that family is left then.
   */
  private static List<Cidr> sourceRanges(ApiService from, Findings findings) {
    List<Cidr> ranges = new ArrayList<>(from.sourceRanges.size());
    Set<IpFamily> open = new HashSet<>();
    for (int i = 0; i < from.sourceRanges.size(); i++) {
      String text = from.sourceRanges.get(i).strip();
      if (text.isEmpty()) {
        continue;
      }
      Optional<Cidr> range = LenientAddress.parseCidr(text);
      if (range.isEmpty()) {
        findings.error(
            "spec.loadBalancerSourceRanges[" + i + "]",
            "\"" + text + "\" is no range of addresses; ignored");
      } else if (range.get().prefixLength() == 0) {
        open.add(range.get().family());
      } else {
        ranges.add(range.get());
      }
    }
    ranges.removeIf(range -> open.contains(range.family()));
    return ranges;
  }

  private static int healthCheckNodePort(ApiService from, Findings findings) {
    int port = from.healthCheckNodePort;
    if (port < 1 || port > 65535) {
      findings.warning(
          "spec.healthCheckNodePort",
          port == 0
              ? "is missing, though externalTrafficPolicy is Local"
              : port + " is no port number; ignored");
      return 0;
    }
    return port;
  }

  private static @Nullable IpAddress address(String text, String path, Findings findings) {
    Optional<LenientAddress> parsed = LenientAddress.parse(text);
    if (parsed.isEmpty()) {
      findings.error(path, "\"" + text + "\" is no IP address; ignored");
      return null;
    }
    IpAddress address = parsed.get().address();
    if (!parsed.get().canonical()) {
      findings.warning(path, "\"" + text + "\" is taken for " + address);
    }
    return address;
  }
}
