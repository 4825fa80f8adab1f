// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.Client;
import dev.patchbay.lab.Client.Kind;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Manifest;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Outcome;
import dev.patchbay.lab.Pod;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Services without a selector, whose endpoints somebody wrote down. */
@EndToEnd
class HandWrittenEndpointsE2eTest {
  @AutoClose private final Lab lab = Lab.create();
  private final Node node = lab.addNode("node1");
  private final Pod first = node.addServers("first").getFirst();
  private final Pod second = node.addServers("second").getFirst();
  private final Client client = node.addPod("client").client();

  private static String service(String name, int number) {
    return """
    apiVersion: v1
    kind: Service
    metadata:
      name: %s
    spec:
      clusterIP: %s
      clusterIPs: ["%s", "%s"]
      ipFamilyPolicy: RequireDualStack
      ports:
      - {name: banner, port: 90, targetPort: 9000}
    """
        .formatted(
            name,
            Family.IPV4.service(number),
            Family.IPV4.service(number),
            Family.IPV6.service(number));
  }

  private static String endpoints(String... addresses) {
    StringBuilder text =
        new StringBuilder(
            """
            apiVersion: v1
            kind: Endpoints
            metadata:
              name: external
            subsets:
            - ports:
              - {name: banner, port: 9000}
              addresses:
            """);
    for (String address : addresses) {
      text.append("  - ip: \"").append(address).append("\"\n");
    }
    return text.toString();
  }

  private static String slice(String name, String service, String type, String addresses) {
    return """
    apiVersion: discovery.k8s.io/v1
    kind: EndpointSlice
    metadata:
      name: %s
      labels:
        kubernetes.io/service-name: %s
    addressType: %s
    ports:
    - {name: banner, port: 9000, protocol: TCP}
    endpoints:
    %s
    """
        .formatted(name, service, type, addresses);
  }

  private static String all(Family family, int... outside) {
    StringBuilder text = new StringBuilder();
    for (int number : outside) {
      text.append("- addresses: [\"").append(family.outside(number)).append("\"]\n");
    }
    return text.toString();
  }

  private void writeEndpoints() {
    node.write(
        "endpoints.yaml",
        endpoints(
            Family.IPV4.outside(10),
            Family.IPV4.outside(11),
            Family.IPV6.outside(10),
            Family.IPV6.outside(11)));
  }

  @BeforeAll
  void start() {
    first.addOutsideAddress(10);
    second.addOutsideAddress(11);
    node.write("service.yaml", service("external", 10));
    writeEndpoints();
    node.write(
        "slices.yaml",
        Manifest.of(
            service("sliced", 14),
            slice("sliced-a", "sliced", "IPv4", all(Family.IPV4, 10)),
            slice("sliced-b", "sliced", "IPv4", all(Family.IPV4, 11, 10)),
            slice("sliced-c", "sliced", "IPv6", all(Family.IPV6, 10)),
            slice("sliced-d", "sliced", "IPv6", all(Family.IPV6, 11, 10))));
    node.startAgent();
  }

  @ParameterizedTest
  @EnumSource
  void connectionsGoToTheAddressesOutsideTheCluster(Family family) {
    for (int service : new int[] {10, 14}) {
      Checks.meets(client, Kind.TCP, family.service(service), "first", "second");
      assertThat(node.services().backends(family.service(service), 90, "tcp"))
          .containsExactlyInAnyOrder(
              Family.hostPort(family.outside(10), 9000), Family.hostPort(family.outside(11), 9000));
    }
  }

  @Test
  void endpointsAndSlicesOfOneServiceAddUp() {
    node.write(
        "mixed.yaml",
        Manifest.of(
            service("mixed", 15),
            endpoints(Family.IPV4.outside(10)).replace("name: external", "name: mixed"),
            slice("mixed-a", "mixed", "IPv4", all(Family.IPV4, 11)),
            slice("mixed-b", "mixed", "IPv6", all(Family.IPV6, 11))));
    Checks.meetsSoon(client, Family.IPV4.service(15), "first", "second");
    Checks.meetsSoon(client, Family.IPV6.service(15), "second");
  }

  @ParameterizedTest
  @EnumSource
  void whatTheAddressesServeOtherwiseIsUntouched(Family family) {
    assertThat(client.nameAt(family.outside(10), 8080)).isEqualTo("first");
    assertThat(client.nameAt(family.outside(11), 8080)).isEqualTo("second");
  }

  @Test
  void aChangeOfTheEndpointsIsFollowed() {
    String address = Family.IPV4.service(10);
    node.write("endpoints.yaml", endpoints(Family.IPV4.outside(11)));
    Checks.meetsInTime(client, address, "second");
    node.delete("endpoints.yaml");
    Checks.meetsInTime(client, address, Outcome.REFUSED);
    writeEndpoints();
    Checks.meetsInTime(client, address, "first", "second");
    Checks.meetsInTime(client, Family.IPV6.service(10), "first", "second");
  }

  @Test
  void conditionsOfASliceAreHonoured() {
    String conditions =
        """
        - addresses: ["%s"]
          conditions: {ready: true}
        - addresses: ["%s"]
          conditions: {ready: false}
        """;
    node.write(
        "ready.yaml",
        Manifest.of(
            service("ready", 12),
            slice(
                "ready-a",
                "ready",
                "IPv4",
                conditions.formatted(Family.IPV4.outside(10), Family.IPV4.outside(11)))));
    Checks.meetsSoon(client, Family.IPV4.service(12), "first");
    node.write(
        "ready.yaml",
        Manifest.of(
            service("ready", 12),
            slice(
                "ready-a",
                "ready",
                "IPv4",
                conditions.formatted(Family.IPV4.outside(11), Family.IPV4.outside(10)))));
    Checks.meetsInTime(client, Family.IPV4.service(12), "second");
  }

  @Test
  void listsAndJsonAreReadLikeAnythingElse() {
    node.write(
        "list.json",
        """
        {"apiVersion": "v1", "kind": "List", "items": [
          {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "json"},
           "spec": {"clusterIP": "%s", "ports": [{"port": 90, "targetPort": 9000}]}},
          {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "json"},
           "subsets": [{"addresses": [{"ip": "%s"}], "ports": [{"port": 9000}]}]}
        ]}
        """
            .formatted(Family.IPV4.service(13), first.ipv4()));
    Checks.meetsSoon(client, Family.IPV4.service(13), "first");
    Eventually.soon(
        () ->
            assertThat(node.services().of("default/json").stream().map(row -> row.frontend()))
                .containsExactly(Family.IPV4.service(13) + ":90/tcp"));
  }
}
