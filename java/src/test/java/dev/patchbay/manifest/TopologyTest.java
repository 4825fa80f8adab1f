// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import static dev.patchbay.manifest.Manifests.pod;
import static dev.patchbay.manifest.Manifests.problems;
import static dev.patchbay.manifest.Manifests.service;
import static dev.patchbay.manifest.Manifests.state;
import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.model.EndpointSlice;
import dev.patchbay.model.Hints;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.NodeInfo;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Nodes, and the hints of endpoints that follow from them. */
class TopologyTest {
  private static final Hints ZONE_A = new Hints(List.of("a"), List.of());

  @TempDir Path root;
  private Manifests manifests;

  @BeforeEach
  void create() {
    manifests = new Manifests(root);
  }

  private Told load(String... documents) {
    return manifests.write("a.yaml", documents).load();
  }

  private static String near(String distribution, String... more) {
    return service(
            "s",
            "selector: {app: s}",
            "trafficDistribution: " + distribution,
            "ports: [{port: 80, targetPort: 8080}]")
        + String.join("", more);
  }

  private static String node(String name, String zone) {
    return "apiVersion: v1\nkind: Node\nmetadata: {name: "
        + name
        + ", labels: {topology.kubernetes.io/zone: "
        + zone
        + "}}\n";
  }

  private static String podOn(String name, String node, String ip) {
    return pod(name, "s", ip).replace("nodeName: node-1", "nodeName: " + node);
  }

  private static Map<String, Hints> hints(Told told) {
    Map<String, Hints> hints = new TreeMap<>();
    for (EndpointSlice slice : state(told, "s").slices()) {
      slice.endpoints().forEach(e -> hints.put(e.address().toString(), e.hints()));
    }
    return hints;
  }

  @ParameterizedTest
  @CsvSource({"PreferClose", "PreferSameZone"})
  void endpointsAreForTheirZone(String distribution) {
    Told told =
        load(
            near(distribution),
            podOn("p1", "n1", "10.1.0.1"),
            podOn("p2", "n2", "10.1.0.2"),
            node("n1", "a"),
            node("n2", "b"));
    assertThat(hints(told))
        .containsExactly(
            Map.entry("10.1.0.1", ZONE_A),
            Map.entry("10.1.0.2", new Hints(List.of("b"), List.of())));
    assertThat(state(told, "s").service().trafficDistribution()).isEqualTo(distribution);
  }

  @Test
  void endpointsAreForTheirNodeToo() {
    Told told =
        load(
            near("PreferSameNode"),
            podOn("p1", "n1", "10.1.0.1"),
            podOn("p2", "n2", "10.1.0.2"),
            podOn("p3", "\"\"", "10.1.0.3"),
            node("n1", "a"));
    assertThat(hints(told))
        .containsExactly(
            Map.entry("10.1.0.1", new Hints(List.of("a"), List.of("n1"))),
            Map.entry("10.1.0.2", new Hints(List.of(), List.of("n2"))),
            Map.entry("10.1.0.3", Hints.NONE));
    assertThat(state(told, "s").notes()).isEmpty();
  }

  @Test
  void anUnknownZoneGivesNoHintAndIsSaid() {
    Told told =
        load(
            near("PreferClose"),
            podOn("p1", "n1", "10.1.0.1"),
            podOn("p2", "n2", "10.1.0.2"),
            podOn("p3", "n3", "10.1.0.3"),
            node("n1", "a"),
            node("n2", "\"\""));
    assertThat(hints(told))
        .containsExactly(
            Map.entry("10.1.0.1", ZONE_A),
            Map.entry("10.1.0.2", Hints.NONE),
            Map.entry("10.1.0.3", Hints.NONE));
    assertThat(state(told, "s").notes())
        .containsExactly(
            "Pods p2, p3 run on nodes of unknown zone, so trafficDistribution PreferClose has no"
                + " effect");
  }

  @Test
  void endpointsThatAreNotReadyHaveNoHints() {
    String unready =
        podOn("p2", "n1", "10.1.0.2") + "  conditions: [{type: Ready, status: \"False\"}]\n";
    String leaving =
        podOn("p3", "n1", "10.1.0.3")
            .replace("name: p3\n", "name: p3\n  deletionTimestamp: 2026-01-01T00:00:00Z\n");
    assertThat(
            hints(
                load(
                    near("PreferClose"),
                    podOn("p1", "n1", "10.1.0.1"),
                    unready,
                    leaving,
                    node("n1", "a"))))
        .containsExactly(
            Map.entry("10.1.0.1", ZONE_A),
            Map.entry("10.1.0.2", Hints.NONE),
            Map.entry("10.1.0.3", Hints.NONE));
    assertThat(
            hints(
                load(
                    near("PreferClose", "  publishNotReadyAddresses: true\n"),
                    unready,
                    leaving,
                    node("n1", "a"))))
        .containsExactly(Map.entry("10.1.0.2", ZONE_A), Map.entry("10.1.0.3", ZONE_A));
  }

  @Test
  void withoutDistributionThereAreNoHints() {
    String service = service("s", "selector: {app: s}", "ports: [{port: 80}]");
    assertThat(hints(load(service, podOn("p1", "n1", "10.1.0.1"), node("n1", "a"))))
        .containsValue(Hints.NONE);
    String automatic =
        near("PreferClose")
            .replace(
                "name: s\n",
                "name: s\n  annotations: {service.kubernetes.io/topology-mode: Auto}\n");
    assertThat(hints(load(automatic, podOn("p1", "n1", "10.1.0.1"), node("n1", "a"))))
        .containsValue(Hints.NONE);
  }

  @Test
  void writtenSlicesHaveTheHintsThatAreWritten() {
    String slice =
        """
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: x, labels: {kubernetes.io/service-name: s}}
        addressType: IPv4
        ports: [{port: 8080}]
        endpoints:
        - addresses: [10.2.0.1]
          zone: a
          deprecatedTopology: {topology.kubernetes.io/zone: b}
          hints: {forZones: [{name: a}, {name: b}], forNodes: [{name: n1}]}
        - addresses: [10.2.0.2]
          zone: a
        """;
    Told told =
        load(service("s", "trafficDistribution: PreferClose", "ports: [{port: 80}]"), slice);
    assertThat(problems(told)).isEmpty();
    assertThat(hints(told))
        .containsExactly(
            Map.entry("10.2.0.1", new Hints(List.of("a", "b"), List.of("n1"))),
            Map.entry("10.2.0.2", Hints.NONE));
  }

  @Test
  void mirroredEndpointsHaveNoHints() {
    String endpoints =
        """
        apiVersion: v1
        kind: Endpoints
        metadata: {name: s}
        subsets: [{addresses: [{ip: 10.3.0.1, nodeName: n1}], ports: [{port: 8080}]}]
        """;
    assertThat(
            hints(
                load(
                    service("s", "trafficDistribution: PreferClose", "ports: [{port: 80}]"),
                    endpoints,
                    node("n1", "a"))))
        .containsExactly(Map.entry("10.3.0.1", Hints.NONE));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "forZones: [{name: a}, {name: a}] | forZones[1].name: \"a\" is there twice",
        "forZones: [{}] | forZones[0].name: is missing",
        "forZones: [{name: a/b}] | forZones[0].name: \"a/b\" is not a valid zone; allowed are"
            + " letters, digits, '-', '_' and '.', at most 63, with a letter or digit at both ends",
        "forNodes: [{name: N}] | forNodes[0].name: \"N\" is not a valid Node name; allowed are"
            + " lower case letters, digits, '-' and '.', at most 253, with a letter or digit at"
            + " both ends",
        "forZones: [{name: a}, {name: b}, {name: c}, {name: d}, {name: e}, {name: f}, {name: g},"
            + " {name: h}, {name: i}] | forZones: has 9 entries; at most 8 are allowed",
        "forZones: a | forZones: \"a\" is a string, not a list"
      })
  void hintsWithWrongValues(String hints, String error) {
    Told told = load(Manifests.slice("x", "s", "IPv4", "10.2.0.1") + "  hints: {" + hints + "}\n");
    assertThat(problems(told))
        .hasSize(1)
        .allMatch(
            p ->
                p.startsWith(
                    "ERROR a.yaml, document 1: EndpointSlice default/x: endpoints[0].hints."
                        + error));
  }

  @Test
  void nodesAreTold() {
    String full =
        """
        apiVersion: v1
        kind: Node
        metadata: {name: n2, labels: {topology.kubernetes.io/zone: eu_1.b}}
        spec: {taints: [{key: other, effect: NoSchedule}]}
        status:
          addresses:
          - {type: Hostname, address: n2}
          - {type: InternalIP, address: 192.168.1.2}
          - {type: ExternalIP, address: 203.0.113.2}
          - {type: InternalIP, address: "fd00::2"}
          - {type: ExternalIP, address: 192.168.1.2}
        """;
    String leaving =
        "apiVersion: v1\nkind: Node\nmetadata: {name: n3, deletionTimestamp:"
            + " 2026-01-01T00:00:00Z}\n";
    String tainted =
        "apiVersion: v1\nkind: Node\nmetadata: {name: n4}\nspec: {taints: [{key:"
            + " ToBeDeletedByClusterAutoscaler, effect: NoSchedule}]}\n";
    Told told = load(tainted, leaving, full, node("n1", "a"));
    assertThat(problems(told)).isEmpty();
    assertThat(told.nodes())
        .containsExactly(
            new NodeInfo("n1", "a", List.of(), true),
            new NodeInfo(
                "n2",
                "eu_1.b",
                List.of(
                    IpAddress.of("192.168.1.2"),
                    IpAddress.of("203.0.113.2"),
                    IpAddress.of("fd00::2")),
                true),
            new NodeInfo("n3", "", List.of(), false),
            new NodeInfo("n4", "", List.of(), false));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{type: InternalIP, address: node-1} | address: \"node-1\" is not an IP address",
        "{type: InternalIP, address: 0.0.0.0} | address: 0.0.0.0 is the unspecified address, which"
            + " cannot be served",
        "{type: ExternalIP, address: 239.0.0.1} | address: 239.0.0.1 is a multicast address, which"
            + " cannot be served",
        "{type: ExternalIP} | address: is missing",
        "{address: 192.168.1.1} | type: is missing"
      })
  void addressesOfNodesWithWrongValues(String address, String error) {
    Told told = load(node("n1", "a") + "status: {addresses: [" + address + "]}\n");
    assertThat(told.nodes()).isEmpty();
    assertThat(problems(told))
        .hasSize(1)
        .allMatch(
            p -> p.startsWith("ERROR a.yaml, document 1: Node n1: status.addresses[0]." + error));
  }

  @Test
  void aZoneMustBeALabelValue() {
    assertThat(problems(load(node("n1", "\"a b\""))))
        .hasSize(1)
        .allMatch(
            p ->
                p.startsWith(
                    "ERROR a.yaml, document 1: Node n1:"
                        + " metadata.labels[topology.kubernetes.io/zone]: \"a b\" is not a valid"
                        + " zone"));
  }
}
