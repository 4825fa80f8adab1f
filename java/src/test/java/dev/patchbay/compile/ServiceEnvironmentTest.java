// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.compile;

import static dev.patchbay.testkit.ServiceBuilder.service;
import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.model.Protocol;
import dev.patchbay.model.ServiceState;
import dev.patchbay.model.ServiceType;
import dev.patchbay.testkit.ServiceBuilder;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import org.junit.jupiter.api.Test;

/** The cases of the kubelet's own tests, and those that they leave out. */
class ServiceEnvironmentTest {
  private static SortedMap<String, String> variables(String namespace, ServiceBuilder... services) {
    return ServiceEnvironment.variables(
        namespace,
        Arrays.stream(services).map(ServiceBuilder::build).map(ServiceState::service).toList());
  }

  private static List<String> lines(SortedMap<String, String> variables) {
    return variables.entrySet().stream().map(e -> e.getKey() + "=" + e.getValue()).toList();
  }

  @Test
  void oneUnnamedPort() {
    assertThat(lines(variables("default", service("foo-bar").clusterIps("1.2.3.4").port(8080))))
        .containsExactly(
            "FOO_BAR_PORT=tcp://1.2.3.4:8080",
            "FOO_BAR_PORT_8080_TCP=tcp://1.2.3.4:8080",
            "FOO_BAR_PORT_8080_TCP_ADDR=1.2.3.4",
            "FOO_BAR_PORT_8080_TCP_PORT=8080",
            "FOO_BAR_PORT_8080_TCP_PROTO=tcp",
            "FOO_BAR_SERVICE_HOST=1.2.3.4",
            "FOO_BAR_SERVICE_PORT=8080");
  }

  @Test
  void namedPortsOfTwoProtocolsTheFirstOneCounts() {
    ServiceBuilder service =
        service("abc-123")
            .clusterIps("5.6.7.8")
            .port("u-d-p", Protocol.UDP, 8081)
            .port("t-c-p", Protocol.TCP, 8081);
    assertThat(lines(variables("default", service)))
        .containsExactly(
            "ABC_123_PORT=udp://5.6.7.8:8081",
            "ABC_123_PORT_8081_TCP=tcp://5.6.7.8:8081",
            "ABC_123_PORT_8081_TCP_ADDR=5.6.7.8",
            "ABC_123_PORT_8081_TCP_PORT=8081",
            "ABC_123_PORT_8081_TCP_PROTO=tcp",
            "ABC_123_PORT_8081_UDP=udp://5.6.7.8:8081",
            "ABC_123_PORT_8081_UDP_ADDR=5.6.7.8",
            "ABC_123_PORT_8081_UDP_PORT=8081",
            "ABC_123_PORT_8081_UDP_PROTO=udp",
            "ABC_123_SERVICE_HOST=5.6.7.8",
            "ABC_123_SERVICE_PORT=8081",
            "ABC_123_SERVICE_PORT_T_C_P=8081",
            "ABC_123_SERVICE_PORT_U_D_P=8081");
  }

  @Test
  void unnamedAndNumericNames() {
    ServiceBuilder service =
        service("q-u-u-x")
            .clusterIps("9.8.7.6")
            .port("", Protocol.TCP, 8082)
            .port("8083", Protocol.TCP, 8083);
    assertThat(variables("default", service))
        .hasSize(12)
        .containsEntry("Q_U_U_X_SERVICE_PORT", "8082")
        .containsEntry("Q_U_U_X_SERVICE_PORT_8083", "8083")
        .containsEntry("Q_U_U_X_PORT_8083_TCP", "tcp://9.8.7.6:8083");
  }

  @Test
  void ipv6IsBracketedInUrlsOnly() {
    ServiceBuilder service =
        service("super-ipv6").clusterIps("2001:db8::").port("u-d-p", Protocol.UDP, 8084);
    assertThat(lines(variables("default", service)))
        .containsExactly(
            "SUPER_IPV6_PORT=udp://[2001:db8::]:8084",
            "SUPER_IPV6_PORT_8084_UDP=udp://[2001:db8::]:8084",
            "SUPER_IPV6_PORT_8084_UDP_ADDR=2001:db8::",
            "SUPER_IPV6_PORT_8084_UDP_PORT=8084",
            "SUPER_IPV6_PORT_8084_UDP_PROTO=udp",
            "SUPER_IPV6_SERVICE_HOST=2001:db8::",
            "SUPER_IPV6_SERVICE_PORT=8084",
            "SUPER_IPV6_SERVICE_PORT_U_D_P=8084");
  }

  @Test
  void sctpIsToldThoughTheDataplaneDoesNotBalanceIt() {
    assertThat(
            variables(
                "default", service("sctp-1").clusterIps("1.2.3.4").port("", Protocol.SCTP, 777)))
        .containsEntry("SCTP_1_PORT", "sctp://1.2.3.4:777")
        .containsEntry("SCTP_1_PORT_777_SCTP_PROTO", "sctp");
  }

  @Test
  void dualStackTellsThePrimaryAddress() {
    assertThat(variables("default", service("d").clusterIps("fd01::1", "10.96.0.1").port(80)))
        .containsEntry("D_SERVICE_HOST", "fd01::1")
        .doesNotContainValue("10.96.0.1");
  }

  @Test
  void headlessAndExternalNameAreNotTold() {
    assertThat(
            variables(
                "default",
                service("headless").port(80),
                service("ext").type(ServiceType.EXTERNAL_NAME).clusterIps("1.2.3.4").port(80)))
        .isEmpty();
  }

  @Test
  void ownNamespaceAndTheApiServer() {
    ServiceBuilder[] services = {
      service("default/kubernetes").clusterIps("10.96.0.1").port("https", Protocol.TCP, 443),
      service("default/other").clusterIps("10.96.0.2").port(80),
      service("demo/kubia").clusterIps("10.96.0.3").port(80),
      service("elsewhere/kubernetes").clusterIps("10.96.0.4").port(80)
    };
    assertThat(variables("demo", services).keySet())
        .allMatch(name -> name.startsWith("KUBIA_") || name.startsWith("KUBERNETES_"))
        .hasSize(15);
    assertThat(variables("demo", services))
        .containsEntry("KUBERNETES_SERVICE_HOST", "10.96.0.1")
        .containsEntry("KUBERNETES_SERVICE_PORT_HTTPS", "443")
        .containsEntry("KUBIA_SERVICE_HOST", "10.96.0.3");
    assertThat(variables("default", services)).containsKey("OTHER_SERVICE_HOST").hasSize(15);
  }

  @Test
  void ownServiceNamedKubernetesHidesTheApiServerInAnyOrder() {
    ServiceBuilder apiServer = service("default/kubernetes").clusterIps("10.96.0.1").port(443);
    ServiceBuilder own = service("demo/kubernetes").clusterIps("10.96.0.9").port(80);
    assertThat(variables("demo", apiServer, own))
        .isEqualTo(variables("demo", own, apiServer))
        .containsEntry("KUBERNETES_SERVICE_HOST", "10.96.0.9")
        .doesNotContainKey("KUBERNETES_PORT_443_TCP");
  }

  @Test
  void clashOfNamesIsDecidedByTheLastServiceInAnyOrder() {
    ServiceBuilder a = service("a").clusterIps("10.96.0.1").port(80);
    ServiceBuilder aService = service("a-service").clusterIps("10.96.0.2").port(81);
    assertThat(variables("default", a, aService))
        .isEqualTo(variables("default", aService, a))
        .containsEntry("A_SERVICE_PORT", "tcp://10.96.0.2:81");
  }
}
