// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab.cluster;

import java.util.List;
import java.util.Map;

/** Objects for tests that write endpoints themselves, so that no controller is needed. */
public final class ApiObjects {
  private ApiObjects() {}

  /** A Service in {@code default} without selector: TCP port 80 and UDP port 53. */
  public static Map<String, ?> service(String name) {
    return service(
        name,
        Map.of(
            "ports",
            List.of(
                Map.of("name", "tcp", "port", 80, "protocol", "TCP"),
                Map.of("name", "udp", "port", 53, "protocol", "UDP"))));
  }

  /** A Service in {@code default}. */
  public static Map<String, ?> service(String name, Map<String, ?> spec) {
    return Map.of(
        "apiVersion", "v1", "kind", "Service", "metadata", Map.of("name", name), "spec", spec);
  }

  /**
   * The EndpointSlice {@code SERVICE-1} of a {@link #service}: ready endpoints, with the banner and
   * UDP ports of {@link dev.patchbay.lab.Node#addServers}.
   */
  public static Map<String, ?> slice(String service, List<String> addresses) {
    return Map.of(
        "apiVersion",
        "discovery.k8s.io/v1",
        "kind",
        "EndpointSlice",
        "metadata",
        Map.of("name", service + "-1", "labels", Map.of("kubernetes.io/service-name", service)),
        "addressType",
        "IPv4",
        "ports",
        List.of(
            Map.of("name", "tcp", "port", 9000, "protocol", "TCP"),
            Map.of("name", "udp", "port", 5000, "protocol", "UDP")),
        "endpoints",
        addresses.stream()
            .map(
                address ->
                    Map.of("addresses", List.of(address), "conditions", Map.of("ready", true)))
            .toList());
  }
}
