// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import static dev.patchbay.manifest.Manifests.clusterIps;
import static dev.patchbay.manifest.Manifests.problems;
import static dev.patchbay.manifest.Manifests.service;
import static dev.patchbay.manifest.Manifests.state;
import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.model.Protocol;
import dev.patchbay.model.Service;
import dev.patchbay.model.ServicePort;
import dev.patchbay.model.ServiceType;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The API server's rules for Services. */
class ServiceRulesTest {
  @TempDir Path root;
  private Manifests manifests;

  @BeforeEach
  void create() {
    manifests = new Manifests(root);
  }

  private Told load(String... spec) {
    return manifests.write("a.yaml", service("s", spec)).load();
  }

  private Service loadService(String... spec) {
    Told loaded = load(spec);
    assertThat(problems(loaded)).noneMatch(p -> p.startsWith("ERROR"));
    return state(loaded, "s").service();
  }

  private List<String> errors(String... spec) {
    Told loaded = load(spec);
    assertThat(loaded.snapshot().services()).isEmpty();
    return problems(loaded).stream()
        .filter(p -> p.startsWith("ERROR"))
        .map(p -> p.replace("ERROR a.yaml, document 1: Service default/s: spec.", ""))
        .map(p -> p.replaceAll(" \\(line [0-9]+\\)$", ""))
        .toList();
  }

  @Test
  void everythingLeftOutHasADefault() {
    Service service = loadService("ports:", "- port: 80");
    assertThat(service.type()).isEqualTo(ServiceType.CLUSTER_IP);
    assertThat(service.clusterIps()).hasSize(1);
    assertThat(service.ports()).containsExactly(new ServicePort("", Protocol.TCP, 80, "80", 0));
    assertThat(service.selector()).isEmpty();
    assertThat(service.affinitySeconds()).isZero();
    assertThat(service.publishNotReadyAddresses()).isFalse();
    assertThat(service.createdMillis()).isEqualTo(Long.MAX_VALUE);
    assertThat(service.origin()).isEqualTo("a.yaml, document 1");
  }

  @Test
  void everythingThatIsSetIsRead() {
    Told loaded =
        manifests
            .write(
                "a.yaml",
                """
                apiVersion: v1
                kind: Service
                metadata:
                  name: s
                  namespace: shop
                  creationTimestamp: "2026-01-02T03:04:05Z"
                  annotations: {x: y}
                spec:
                  type: NodePort
                  clusterIP: 10.96.0.10
                  clusterIPs: [10.96.0.10, "fd00:10:96::a"]
                  ipFamilies: [IPv4, IPv6]
                  ipFamilyPolicy: RequireDualStack
                  sessionAffinity: ClientIP
                  sessionAffinityConfig: {clientIP: {timeoutSeconds: 60}}
                  externalTrafficPolicy: Local
                  internalTrafficPolicy: Cluster
                  trafficDistribution: PreferClose
                  publishNotReadyAddresses: true
                  ports:
                  - {name: dns, port: 53, protocol: UDP, nodePort: 30053, targetPort: dns-udp}
                  - {name: dns-tcp, port: 53, protocol: TCP, targetPort: 5353}
                  somethingNew: {of: later}
                """)
            .load();
    Service service = state(loaded, "shop/s").service();
    assertThat(clusterIps(loaded, "shop/s")).containsExactly("10.96.0.10", "fd00:10:96::a");
    assertThat(service.ports())
        .containsExactly(
            new ServicePort("dns", Protocol.UDP, 53, "dns-udp", 30053),
            new ServicePort("dns-tcp", Protocol.TCP, 53, "5353", 30053));
    assertThat(service.affinitySeconds()).isEqualTo(60);
    assertThat(service.publishNotReadyAddresses()).isTrue();
    assertThat(service.createdMillis()).isEqualTo(1767323045000L);
  }

  @Test
  void sessionAffinityLastsThreeHoursUnlessToldOtherwise() {
    assertThat(loadService("sessionAffinity: ClientIP", "ports: [{port: 80}]").affinitySeconds())
        .isEqualTo(10800);
    assertThat(
            loadService(
                    "sessionAffinity: None",
                    "sessionAffinityConfig: {clientIP: {timeoutSeconds: 5}}",
                    "ports: [{port: 80}]")
                .affinitySeconds())
        .isZero();
  }

  @Test
  void headlessServicesNeedNeitherAddressNorPorts() {
    assertThat(loadService("clusterIP: None").clusterIps()).isEmpty();
    assertThat(loadService("clusterIP: None", "clusterIPs: [None]").ports()).isEmpty();
  }

  @Test
  void aServiceForAnotherProxyIsNoted() {
    Told loaded =
        manifests
            .write(
                "a.yaml",
                service("s", "ports: [{port: 80}]")
                    .replace(
                        "name: s",
                        "name: s\n  labels: {service.kubernetes.io/service-proxy-name: other}"))
            .load();
    assertThat(loaded.snapshot().services()).isEmpty();
    assertThat(problems(loaded))
        .containsExactly(
            "NOTE a.yaml, document 1: Service default/s:"
                + " metadata.labels[service.kubernetes.io/service-proxy-name]: leaves the Service"
                + " to the proxy \"other\"; ignored");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "type: Cluster | type: \"Cluster\" is unknown; allowed are ClusterIP, NodePort,"
            + " LoadBalancer and ExternalName",
        "sessionAffinity: Cookie | sessionAffinity: \"Cookie\" is unknown; allowed are None,"
            + " ClientIP",
        "externalTrafficPolicy: local | externalTrafficPolicy: \"local\" is unknown; allowed are"
            + " Cluster, Local",
        "internalTrafficPolicy: Node | internalTrafficPolicy: \"Node\" is unknown; allowed are"
            + " Cluster, Local",
        "trafficDistribution: Far | trafficDistribution: \"Far\" is unknown; allowed are"
            + " PreferClose, PreferSameZone, PreferSameNode",
        "sessionAffinityConfig: {clientIP: {timeoutSeconds: 0}} |"
            + " sessionAffinityConfig.clientIP.timeoutSeconds: 0 is out of range; allowed are 1 to"
            + " 86400",
        "sessionAffinityConfig: {clientIP: {timeoutSeconds: 86401}} |"
            + " sessionAffinityConfig.clientIP.timeoutSeconds: 86401 is out of range; allowed are"
            + " 1 to 86400",
        "publishNotReadyAddresses: 1 | publishNotReadyAddresses: \"1\" is an integer, not a"
            + " boolean, true or false",
        "clusterIP: 10.96.0 | clusterIP: \"10.96.0\" is not an IP address",
        "clusterIP: 10.96.00.1 | clusterIP: \"10.96.00.1\" is not an IP address: an octet begins"
            + " with 0; is 10.96.0.1 meant?",
        "clusterIPs: [10.96.0.1, 10.96.0.2] | clusterIPs[1]: 10.96.0.2 is a second IPv4 address;"
            + " one per family is allowed",
        "ipFamilies: [IPv5] | ipFamilies[0]: \"IPv5\" is unknown; allowed are IPv4 and IPv6",
        "ipFamilies: [IPv4, IPv4] | ipFamilies[1]: IPv4 is there twice",
        "ipFamilyPolicy: Dual | ipFamilyPolicy: \"Dual\" is unknown; allowed are SingleStack,"
            + " PreferDualStack and RequireDualStack",
        "selector: kubia | selector: \"kubia\" is a string, not a mapping",
        "externalName: 7 | externalName: \"7\" is an integer, not a string; write it in quotes"
      })
  void fieldsWithWrongValues(String field, String error) {
    if (field.startsWith("externalName")) {
      assertThat(errors("type: ExternalName", field)).containsExactly(error);
    } else {
      assertThat(errors("ports: [{port: 80}]", field)).containsExactly(error);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{port: 80, name: Web} | name: \"Web\" is not a valid port name; allowed are lower case"
            + " letters, digits and '-', at most 63, with a letter or digit at both ends",
        "{name: a} | port: is missing; allowed are 1 to 65535",
        "{port: 80, targetPort: 0} | targetPort: 0 is out of range; allowed are 1 to 65535",
        "{port: 80, targetPort: a-name-too-long-for-this} | targetPort:"
            + " \"a-name-too-long-for-this\" is neither a number from 1 to 65535 nor a port name;"
            + " in names allowed are lower case letters, digits and single '-', at most 15, with"
            + " at least one letter and a letter or digit at both ends",
        "{port: 80, targetPort: \"8080\"} | targetPort: \"8080\" is neither a number from 1 to"
            + " 65535 nor a port name; in names allowed are lower case letters, digits and single"
            + " '-', at most 15, with at least one letter and a letter or digit at both ends",
        "{port: 80, targetPort: true} | targetPort: \"true\" is a boolean, not an integer or a"
            + " string",
        "{port: 80, nodePort: 30000} | nodePort: 30000 has no meaning for type ClusterIP; NodePort"
            + " or LoadBalancer is needed",
        "{port: 80, nodePort: 65536} | nodePort: 65536 is out of range; allowed are 0 to 65535"
      })
  void portsWithWrongValues(String port, String error) {
    assertThat(errors("ports: [" + port + "]")).containsExactly("ports[0]." + error);
  }

  @Test
  void aNodePortOutsideTheRange() {
    assertThat(errors("type: NodePort", "ports: [{port: 80, nodePort: 8080}]"))
        .containsExactly(
            "ports[0].nodePort: 8080 is out of the range of node ports; allowed are 30000 to"
                + " 32767");
  }

  @Test
  void severalPortsNeedDistinctNamesAndNumbers() {
    assertThat(errors("ports: [{port: 80}, {name: b, port: 80}, {name: b, port: 81}]"))
        .containsExactly(
            "ports[0].name: is missing; each of several ports needs one",
            "ports[1].port: 80/TCP is used by another port of the Service",
            "ports[2].name: \"b\" is used by another port of the Service");
  }

  @Test
  void oneNumberMayHaveTwoProtocols() {
    assertThat(
            loadService("ports: [{name: a, port: 53}, {name: b, port: 53, protocol: UDP}]").ports())
        .hasSize(2);
  }

  @Test
  void portsAreNeeded() {
    assertThat(errors("selector: {}"))
        .containsExactly("ports: is missing; at least one port is needed");
  }

  @Test
  void clusterIpAndClusterIpsMustAgree() {
    assertThat(errors("clusterIP: 10.96.0.1", "clusterIPs: [10.96.0.2]", "ports: [{port: 80}]"))
        .containsExactly("clusterIPs[0]: \"10.96.0.2\" differs from clusterIP \"10.96.0.1\"");
  }

  @Test
  void familiesMustFitAddresses() {
    assertThat(errors("clusterIP: 10.96.0.1", "ipFamilies: [IPv6]", "ports: [{port: 80}]"))
        .containsExactly("ipFamilies[0]: IPv6 does not fit cluster IP 10.96.0.1");
    assertThat(
            errors(
                "ipFamilies: [IPv4, IPv6]", "ipFamilyPolicy: SingleStack", "ports: [{port: 80}]"))
        .containsExactly("ipFamilyPolicy: SingleStack contradicts two address families");
  }

  @Test
  void dualStackNeedsTwoRanges() {
    manifests.write(
        "a.yaml", service("s", "ipFamilyPolicy: RequireDualStack", "ports: [{port: 80}]"));
    assertThat(problems(manifests.load("10.96.0.0/16")))
        .containsExactly(
            "ERROR a.yaml, document 1: Service default/s: spec.ipFamilyPolicy: RequireDualStack"
                + " needs service ranges of both families; there is only 10.96.0.0/16 (line 6)");
    manifests.write(
        "a.yaml", service("s", "ipFamilyPolicy: PreferDualStack", "ports: [{port: 80}]"));
    assertThat(clusterIps(manifests.load("10.96.0.0/16"), "s")).hasSize(1);
    assertThat(clusterIps(manifests.load(), "s")).hasSize(2);
  }

  @Test
  void theFirstRangeGivesTheFamily() {
    manifests.write("a.yaml", service("s", "ports: [{port: 80}]"));
    assertThat(clusterIps(manifests.load("fd00:10:96::/112", "10.96.0.0/16"), "s"))
        .hasSize(1)
        .allMatch(a -> a.startsWith("fd00:10:96::"));
  }

  @Test
  void anExternalNameHasNoAddressAndHeadlessIsClusterIp() {
    assertThat(errors("type: ExternalName", "externalName: a.b", "clusterIP: 10.96.0.1"))
        .containsExactly("clusterIP: must be absent in a Service of type ExternalName");
    assertThat(errors("type: NodePort", "clusterIP: None", "ports: [{port: 80}]"))
        .containsExactly("clusterIP: None is allowed for type ClusterIP only, not for NodePort");
    assertThat(errors("type: ExternalName")).containsExactly("externalName: is missing");
    assertThat(errors("type: ExternalName", "externalName: a..b"))
        .hasSize(1)
        .allMatch(e -> e.startsWith("externalName: \"a..b\" is not a DNS name"));
  }

  @ParameterizedTest
  @CsvSource({
    "127.0.0.1, a loopback address",
    "0.0.0.0, the unspecified address",
    "169.254.1.1, a link-local address",
    "224.0.0.1, a multicast address",
    "::1, a loopback address",
    "::, the unspecified address",
    "fe80::1, a link-local address",
    "ff02::1, a multicast address"
  })
  void addressesThatCannotBeEndpoints(String address, String what) {
    Told loaded =
        manifests
            .write(
                "a.yaml",
                Manifests.slice("x", "s", address.contains(":") ? "IPv6" : "IPv4", address))
            .load();
    assertThat(problems(loaded))
        .containsExactly(
            "ERROR a.yaml, document 1: EndpointSlice default/x: endpoints[0].addresses[0]: "
                + address
                + " is "
                + what
                + ", which cannot be an endpoint (line 11)");
  }
}
