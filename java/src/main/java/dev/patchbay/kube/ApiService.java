// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A Service as the API has it, as far as it is needed: what an absent field means is still open.
 * Filled by {@link ServiceReader}.
 */
final class ApiService {
  final ApiMeta meta = new ApiMeta();
  String type = "";
  String clusterIp = "";
  List<String> clusterIps = List.of();
  List<String> ipFamilies = List.of();
  final List<Port> ports = new ArrayList<>(1);
  String sessionAffinity = "";
  @Nullable Integer affinitySeconds;
  List<String> externalIps = List.of();
  List<String> sourceRanges = List.of();
  String externalTrafficPolicy = "";
  String internalTrafficPolicy = "";
  String trafficDistribution = "";
  int healthCheckNodePort;
  List<Ingress> ingress = List.of();

  /** {@code spec.ports[]}. */
  static final class Port {
    String name = "";
    String protocol = "TCP";
    int port;
    String targetPort = "";
    int nodePort;
  }

  /** {@code status.loadBalancer.ingress[]}. */
  static final class Ingress {
    String ip = "";
    String ipMode = "";
  }
}
