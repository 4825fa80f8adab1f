// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import static dev.patchbay.manifest.Manifests.problems;
import static dev.patchbay.manifest.Manifests.service;
import static dev.patchbay.manifest.Manifests.state;
import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.model.Cidr;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.Service;
import dev.patchbay.model.TrafficPolicy;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The API server's rules for what makes a Service known beyond its cluster IP. */
class ExternalFieldsTest {
  private static final String PORTS = "ports: [{port: 80}]";
  private static final String OUTSIDE =
      " acts on traffic from outside the cluster only, which this version does not serve";

  @TempDir Path root;
  private Manifests manifests;

  @BeforeEach
  void create() {
    manifests = new Manifests(root);
  }

  private Told load(String document) {
    return manifests.write("a.yaml", document).load();
  }

  private Service read(String document) {
    Told told = load(document);
    assertThat(problems(told)).noneMatch(p -> p.startsWith("ERROR"));
    return state(told, "s").service();
  }

  private List<String> problemsOf(String document) {
    return problems(load(document)).stream()
        .map(p -> p.replace(" a.yaml, document 1: Service default/s:", ""))
        .map(p -> p.replaceAll(" \\(line [0-9]+\\)$", ""))
        .toList();
  }

  private static String annotated(String annotation, String... spec) {
    return service("s", spec)
        .replace("name: s\n", "name: s\n  annotations: {" + annotation + "}\n");
  }

  private static String withStatus(String type, String ingress) {
    return service("s", "type: " + type, PORTS)
        + "status: {loadBalancer: {ingress: ["
        + ingress
        + "]}}\n";
  }

  private static List<IpAddress> addresses(String... texts) {
    return List.of(texts).stream().map(IpAddress::of).toList();
  }

  private static List<Cidr> ranges(String... texts) {
    return List.of(texts).stream().map(t -> Cidr.parse(t).orElseThrow()).toList();
  }

  @Test
  void whatIsLeftOutHasADefault() {
    Service service = read(service("s", PORTS));
    assertThat(service.internalPolicy()).isEqualTo(TrafficPolicy.CLUSTER);
    assertThat(service.externalPolicy()).isEqualTo(TrafficPolicy.CLUSTER);
    assertThat(service.trafficDistribution()).isEmpty();
    assertThat(service.externalIps()).isEmpty();
    assertThat(service.loadBalancerIps()).isEmpty();
    assertThat(service.proxiedLoadBalancerIps()).isEmpty();
    assertThat(service.sourceRanges()).isEmpty();
    assertThat(service.healthCheckNodePort()).isZero();
    assertThat(service.headless()).isFalse();
    assertThat(problems(load(service("s", PORTS)))).isEmpty();
  }

  @Test
  void whatIsWrittenIsRead() {
    Service service =
        read(
            service(
                    "s",
                    "type: LoadBalancer",
                    "externalIPs: [192.0.2.7, \"2001:db8::7\", 192.0.2.7]",
                    "loadBalancerSourceRanges: [\" 198.51.100.0/24 \", \"2001:db8:1::/48\"]",
                    "internalTrafficPolicy: Local",
                    "externalTrafficPolicy: Local",
                    "trafficDistribution: PreferSameNode",
                    "healthCheckNodePort: 31000",
                    PORTS)
                + "status: {loadBalancer: {ingress: [{ip: 203.0.113.1}, {ip: 203.0.113.2, ipMode:"
                + " VIP}, {ip: \"2001:db8::1\", ipMode: Proxy}, {hostname: lb.example.com}]}}\n");
    assertThat(service.externalIps()).isEqualTo(addresses("192.0.2.7", "2001:db8::7"));
    assertThat(service.sourceRanges()).isEqualTo(ranges("198.51.100.0/24", "2001:db8:1::/48"));
    assertThat(service.internalPolicy()).isEqualTo(TrafficPolicy.LOCAL);
    assertThat(service.externalPolicy()).isEqualTo(TrafficPolicy.LOCAL);
    assertThat(service.trafficDistribution()).isEqualTo("PreferSameNode");
    assertThat(service.healthCheckNodePort()).isEqualTo(31000);
    assertThat(service.loadBalancerIps()).isEqualTo(addresses("203.0.113.1", "203.0.113.2"));
    assertThat(service.proxiedLoadBalancerIps()).isEqualTo(addresses("2001:db8::1"));
  }

  @Test
  void headlessIsTold() {
    assertThat(read(service("s", "clusterIP: None")).headless()).isTrue();
  }

  @Test
  void sourceRangesMayBeInAnAnnotation() {
    String annotation =
        "service.beta.kubernetes.io/load-balancer-source-ranges: \"10.0.0.0/8, 192.168.0.0/16\"";
    assertThat(read(annotated(annotation, "type: LoadBalancer", PORTS)).sourceRanges())
        .isEqualTo(ranges("10.0.0.0/8", "192.168.0.0/16"));
    String field = "loadBalancerSourceRanges: [172.16.0.0/12]";
    assertThat(read(annotated(annotation, "type: LoadBalancer", field, PORTS)).sourceRanges())
        .isEqualTo(ranges("172.16.0.0/12"));
    String blank = "service.beta.kubernetes.io/load-balancer-source-ranges: \" \"";
    assertThat(read(annotated(blank, "type: LoadBalancer", PORTS)).sourceRanges()).isEmpty();

    String path =
        "ERROR metadata.annotations[service.beta.kubernetes.io/load-balancer-source-ranges]: ";
    assertThat(problemsOf(annotated(annotation, PORTS)))
        .containsExactly(path + "has no meaning for type ClusterIP; LoadBalancer is needed");
    assertThat(problemsOf(annotated(annotation.replace("/8", "/33"), "type: LoadBalancer", PORTS)))
        .contains(
            path
                + "\"10.0.0.0/33\" is not a range of addresses such as 192.0.2.0/24, with"
                + " no bit set behind the prefix");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "externalIPs: [127.0.0.1] | externalIPs[0]: 127.0.0.1 is a loopback address, which cannot"
            + " be an external IP",
        "externalIPs: [0.0.0.0] | externalIPs[0]: 0.0.0.0 is the unspecified address, which cannot"
            + " be an external IP",
        "externalIPs: [169.254.0.1] | externalIPs[0]: 169.254.0.1 is a link-local address, which"
            + " cannot be an external IP",
        "externalIPs: [192.0.2.1, 224.0.0.1] | externalIPs[1]: 224.0.0.1 is a multicast address,"
            + " which cannot be an external IP",
        "externalIPs: [\"fe80::1\"] | externalIPs[0]: fe80::1 is a link-local address, which"
            + " cannot be an external IP",
        "externalIPs: [\"::\"] | externalIPs[0]: :: is the unspecified address, which cannot be an"
            + " external IP",
        "externalIPs: [a.example.com] | externalIPs[0]: \"a.example.com\" is not an IP address",
        "externalIPs: [\"\"] | externalIPs[0]: \"\" is not an IP address",
        "externalIPs: 192.0.2.1 | externalIPs: \"192.0.2.1\" is a string, not a list",
        "loadBalancerSourceRanges: [10.0.0.0/8] | loadBalancerSourceRanges: has no meaning for type"
            + " ClusterIP; LoadBalancer is needed",
        "externalTrafficPolicy: Local | externalTrafficPolicy: Local has no meaning for type"
            + " ClusterIP without externalIPs; NodePort or LoadBalancer is needed",
        "externalTrafficPolicy: Cluster | externalTrafficPolicy: Cluster has no meaning for type"
            + " ClusterIP without externalIPs; NodePort or LoadBalancer is needed",
        "healthCheckNodePort: 31000 | healthCheckNodePort: 31000 has no meaning; type LoadBalancer"
            + " and externalTrafficPolicy Local are needed",
        "healthCheckNodePort: 65536 | healthCheckNodePort: 65536 is out of range; allowed are 0 to"
            + " 65535",
        "allocateLoadBalancerNodePorts: false | allocateLoadBalancerNodePorts: has no meaning for"
            + " type ClusterIP; LoadBalancer is needed",
        "allocateLoadBalancerNodePorts: true | allocateLoadBalancerNodePorts: has no meaning for"
            + " type ClusterIP; LoadBalancer is needed",
        "allocateLoadBalancerNodePorts: maybe | allocateLoadBalancerNodePorts: \"maybe\" is a"
            + " string, not a boolean, true or false",
      })
  void fieldsWithWrongValues(String field, String error) {
    Told told = load(service("s", PORTS, field));
    assertThat(told.snapshot().services()).isEmpty();
    assertThat(problemsOf(service("s", PORTS, field))).contains("ERROR spec." + error);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "loadBalancerSourceRanges: [10.0.0.1/8] | loadBalancerSourceRanges[0]: \"10.0.0.1/8\" is"
            + " not a range of addresses such as 192.0.2.0/24, with no bit set behind the prefix",
        "loadBalancerSourceRanges: [10.0.0.0] | loadBalancerSourceRanges[0]: \"10.0.0.0\" is not a"
            + " range of addresses such as 192.0.2.0/24, with no bit set behind the prefix",
        "healthCheckNodePort: 8080 | healthCheckNodePort: 8080 is out of the range of node ports;"
            + " allowed are 30000 to 32767",
        "healthCheckNodePort: 30080 | healthCheckNodePort: 30080 is the node port of a port of the"
            + " Service",
      })
  void fieldsOfALoadBalancerWithWrongValues(String field, String error) {
    String document =
        service(
            "s",
            "type: LoadBalancer",
            "externalTrafficPolicy: Local",
            "ports: [{port: 80, nodePort: 30080}]",
            field);
    assertThat(load(document).snapshot().services()).isEmpty();
    assertThat(problemsOf(document)).contains("ERROR spec." + error);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{ip: 203.0.113.256} | ip: \"203.0.113.256\" is not an IP address",
        "{ip: 0.0.0.0} | ip: 0.0.0.0 is the unspecified address, which cannot be served",
        "{ip: \"ff02::1\"} | ip: ff02::1 is a multicast address, which cannot be served",
        "{ip: 203.0.113.1, ipMode: vip} | ipMode: \"vip\" is unknown; allowed are VIP, Proxy",
        "{hostname: a.b, ipMode: VIP} | ipMode: VIP has no meaning without ip",
      })
  void addressesOfALoadBalancerWithWrongValues(String ingress, String error) {
    assertThat(problemsOf(withStatus("LoadBalancer", ingress)))
        .containsExactly("ERROR status.loadBalancer.ingress[0]." + error);
  }

  @Test
  void addressesLeftFromATimeAsALoadBalancerAreNoted() {
    assertThat(problemsOf(withStatus("NodePort", "{ip: 203.0.113.1}")))
        .containsExactly(
            "NOTE status.loadBalancer.ingress: has no effect for type NodePort, only for"
                + " LoadBalancer");
    assertThat(read(withStatus("NodePort", "{ip: 203.0.113.1}")).loadBalancerIps()).isEmpty();
  }

  @Test
  void externalPolicyIsForClusterIpWithExternalIpsToo() {
    assertThat(
            read(service("s", "externalIPs: [192.0.2.1]", "externalTrafficPolicy: Local", PORTS))
                .externalPolicy())
        .isEqualTo(TrafficPolicy.LOCAL);
    assertThat(
            problemsOf(
                service(
                    "s",
                    "type: ExternalName",
                    "externalName: a.b",
                    "externalIPs: [192.0.2.1]",
                    "externalTrafficPolicy: Local")))
        .contains(
            "ERROR spec.externalTrafficPolicy: Local has no meaning for type ExternalName; NodePort"
                + " or LoadBalancer is needed");
  }

  @Test
  void nodePortsComeFromTheRange() {
    assertThat(nodePort("type: NodePort")).isBetween(30000, 32767);
    assertThat(nodePort("type: LoadBalancer")).isBetween(30000, 32767);
    assertThat(nodePort("type: LoadBalancer", "allocateLoadBalancerNodePorts: true"))
        .isBetween(30000, 32767);
    assertThat(nodePort("type: LoadBalancer", "allocateLoadBalancerNodePorts: false")).isZero();
    assertThat(nodePort("type: ClusterIP")).isZero();
  }

  private int nodePort(String... spec) {
    return read(service("s", spec) + "  " + PORTS + "\n").ports().getFirst().nodePort();
  }

  @Test
  void aNodePortIsTheSameForBothFamilies() {
    Service service =
        read(service("s", "type: NodePort", "ipFamilyPolicy: PreferDualStack", PORTS));
    assertThat(service.clusterIps()).hasSize(2);
    assertThat(service.ports()).hasSize(1);
  }

  @Test
  void aHealthCheckNodePortIsThereForLocalLoadBalancersOnly() {
    assertThat(
            read(service("s", "type: LoadBalancer", "externalTrafficPolicy: Local", PORTS))
                .healthCheckNodePort())
        .isBetween(30000, 32767);
    assertThat(read(service("s", "type: LoadBalancer", PORTS)).healthCheckNodePort()).isZero();
    assertThat(
            read(service("s", "type: NodePort", "externalTrafficPolicy: Local", PORTS))
                .healthCheckNodePort())
        .isZero();
  }

  @Test
  void aNodePortThatIsTakenIsReportedAndTheRestServed() {
    Told told =
        manifests
            .write(
                "a.yaml",
                service("a", "type: NodePort", "ports: [{port: 80, nodePort: 30080}]"),
                service("b", "type: NodePort", "ports: [{port: 80, nodePort: 30080}]"))
            .load();
    assertThat(problems(told))
        .containsExactly(
            "ERROR a.yaml, document 2: Service default/b: spec.ports[0].nodePort: 30080 is taken by"
                + " Service default/a");
    assertThat(state(told, "b").notes())
        .contains("spec.ports[0].nodePort: 30080 is taken by Service default/a");
    assertThat(state(told, "b").service().clusterIps()).hasSize(1);
    assertThat(state(told, "b").service().ports().getFirst().nodePort()).isZero();
  }

  @Test
  void whatActsOnTrafficFromOutsideOnlyIsSaidOnce() {
    assertThat(problemsOf(service("s", "type: NodePort", "externalTrafficPolicy: Local", PORTS)))
        .containsExactly("NOTE spec.externalTrafficPolicy: Local" + OUTSIDE);
    String ranges = "loadBalancerSourceRanges: [10.0.0.0/8]";
    assertThat(problemsOf(service("s", "type: LoadBalancer", ranges, PORTS)))
        .containsExactly("NOTE spec.loadBalancerSourceRanges:" + OUTSIDE);
    assertThat(
            problemsOf(
                service("s", "type: LoadBalancer", ranges, "externalTrafficPolicy: Local", PORTS)))
        .containsExactly(
            "NOTE spec.externalTrafficPolicy: Local, like loadBalancerSourceRanges," + OUTSIDE);
    assertThat(
            problemsOf(
                annotated(
                    "service.beta.kubernetes.io/load-balancer-source-ranges: 10.0.0.0/8",
                    "type: LoadBalancer",
                    PORTS)))
        .containsExactly(
            "NOTE metadata.annotations[service.beta.kubernetes.io/load-balancer-source-ranges]:"
                + OUTSIDE);
    assertThat(
            problemsOf(
                service(
                    "s",
                    "type: LoadBalancer",
                    "externalIPs: [192.0.2.1]",
                    "internalTrafficPolicy: Local",
                    "trafficDistribution: PreferClose",
                    PORTS)))
        .isEmpty();
  }

  @Test
  void externalIpsOfAServiceWithoutProxyAreNoted() {
    assertThat(problemsOf(service("s", "clusterIP: None", "externalIPs: [192.0.2.1]")))
        .containsExactly("NOTE spec.externalIPs: have no effect: the Service is headless");
    assertThat(
            problemsOf(
                service(
                    "s", "type: ExternalName", "externalName: a.b", "externalIPs: [192.0.2.1]")))
        .containsExactly("NOTE spec.externalIPs: have no effect: the Service is an ExternalName");
  }

  @Test
  void automaticTopologyIsNotImitated() {
    String field = "metadata.annotations[service.kubernetes.io/topology-mode]: ";
    assertThat(problemsOf(annotated("service.kubernetes.io/topology-mode: Auto", PORTS)))
        .containsExactly("NOTE " + field + "Auto is not imitated: endpoints get no hints");
    assertThat(
            problemsOf(
                annotated(
                    "service.kubernetes.io/topology-mode: auto",
                    "trafficDistribution: PreferClose",
                    PORTS)))
        .containsExactly(
            "NOTE "
                + field
                + "auto is not imitated: endpoints get no hints, and beside it"
                + " trafficDistribution has no effect, as in a cluster");
    assertThat(problemsOf(annotated("service.kubernetes.io/topology-mode: Disabled", PORTS)))
        .isEmpty();
    assertThat(
            problemsOf(
                annotated(
                    "service.kubernetes.io/topology-mode: Disabled,"
                        + " service.kubernetes.io/topology-aware-hints: Auto",
                    PORTS)))
        .contains(
            "ERROR metadata.annotations[service.kubernetes.io/topology-aware-hints]: \"Auto\""
                + " differs from service.kubernetes.io/topology-mode \"Disabled\"");
  }
}
