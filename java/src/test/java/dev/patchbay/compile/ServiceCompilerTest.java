// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.compile;

import static dev.patchbay.testkit.ServiceBuilder.draining;
import static dev.patchbay.testkit.ServiceBuilder.notReady;
import static dev.patchbay.testkit.ServiceBuilder.on;
import static dev.patchbay.testkit.ServiceBuilder.ready;
import static dev.patchbay.testkit.ServiceBuilder.service;
import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.model.Endpoint;
import dev.patchbay.model.EndpointPort;
import dev.patchbay.model.EndpointSlice;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Protocol;
import dev.patchbay.model.ServiceOptions;
import dev.patchbay.model.ServicePortKey;
import dev.patchbay.model.ServiceState;
import dev.patchbay.model.ServiceType;
import dev.patchbay.model.TrafficPolicy;
import dev.patchbay.table.ServiceRow;
import dev.patchbay.table.ServiceSettings;
import dev.patchbay.testkit.ServiceBuilder;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ServiceCompilerTest {
  private static CompiledService compile(ServiceBuilder builder) {
    return ServiceCompiler.compile(builder.build(), NodeFacts.named("node"));
  }

  private static List<String> texts(CompiledService compiled) {
    return compiled.rows().stream().map(ServiceCompilerTest::text).toList();
  }

  private static String text(ServiceRow row) {
    return row.key() + " " + row.frontends() + " -> " + row.backends();
  }

  private static ServicePortKey key(String port, Protocol protocol, IpFamily family) {
    return new ServicePortKey(new ObjectKey("default", "s"), port, protocol, family);
  }

  @Test
  void aRowForEachPortAndFamilyWithItsOwnEndpoints() {
    CompiledService compiled =
        compile(
            service("s")
                .clusterIps("fd01::1", "10.96.0.1")
                .port("dns", Protocol.UDP, 53)
                .port("dns-tcp", Protocol.TCP, 53)
                .slice(
                    List.of(
                        new EndpointPort("dns", Protocol.UDP, 1053),
                        new EndpointPort("dns-tcp", Protocol.TCP, 1054)),
                    ready("10.0.0.1"))
                .slice(List.of(new EndpointPort("dns", Protocol.UDP, 1055)), ready("fd00::1")));
    assertThat(texts(compiled))
        .containsExactly(
            "default/s:dns/udp (IPv4) [10.96.0.1:53/udp] -> [10.0.0.1:1053]",
            "default/s:dns-tcp/tcp (IPv4) [10.96.0.1:53/tcp] -> [10.0.0.1:1054]",
            "default/s:dns/udp (IPv6) [[fd01::1]:53/udp] -> [[fd00::1]:1055]",
            "default/s:dns-tcp/tcp (IPv6) [[fd01::1]:53/tcp] -> []");
    assertThat(compiled.refused().toString()).isEqualTo("[10.96.0.1:*, [fd01::1]:*]");
    assertThat(compiled.rejections()).isEmpty();
  }

  @Test
  void severalAddressesOfOneFamilyShareTheRow() {
    assertThat(texts(compile(service("s").clusterIps("10.96.0.2", "10.96.0.1").port(80))))
        .containsExactly("default/s/tcp (IPv4) [10.96.0.1:80/tcp, 10.96.0.2:80/tcp] -> []");
  }

  @Test
  void headlessAndExternalNameHaveNothing() {
    CompiledService nothing = new CompiledService(List.of(), List.of(), List.of());
    assertThat(compile(service("s").port(80).slice(80, ready("10.0.0.1")))).isEqualTo(nothing);
    assertThat(
            compile(service("s").type(ServiceType.EXTERNAL_NAME).clusterIps("10.96.0.1").port(80)))
        .isEqualTo(nothing);
  }

  @Test
  void sctpIsRejectedTheOtherPortsStay() {
    CompiledService compiled =
        compile(
            service("s")
                .clusterIps("10.96.0.1")
                .port("a", Protocol.SCTP, 80)
                .port("b", Protocol.TCP, 80));
    assertThat(texts(compiled)).containsExactly("default/s:b/tcp (IPv4) [10.96.0.1:80/tcp] -> []");
    assertThat(compiled.refused()).hasSize(1);
    assertThat(compiled.rejections())
        .containsExactly(new Rejection.ProtocolUnsupported(key("a", Protocol.SCTP, IpFamily.IPV4)));
  }

  @Test
  void repeatedNameIsRejected() {
    CompiledService compiled = compile(service("s").clusterIps("10.96.0.1").port(80).port(81));
    assertThat(texts(compiled)).containsExactly("default/s/tcp (IPv4) [10.96.0.1:80/tcp] -> []");
    assertThat(compiled.rejections())
        .containsExactly(new Rejection.PortRepeated(key("", Protocol.TCP, IpFamily.IPV4), 81));
  }

  @Test
  void affinityGoesIntoTheSettings() {
    assertThat(
            compile(service("s").clusterIps("10.96.0.1").port(80).affinity(10800))
                .rows()
                .getFirst()
                .settings())
        .isEqualTo(
            new ServiceSettings(
                10800, false, false, false, key("", Protocol.TCP, IpFamily.IPV4).statsId()));
  }

  @Test
  void annotationsGoIntoTheSettings() {
    ServiceSettings settings =
        compile(
                service("s")
                    .clusterIps("10.96.0.1")
                    .port(80)
                    .options(new ServiceOptions(true, true)))
            .rows()
            .getFirst()
            .settings();
    assertThat(settings.terminate()).isTrue();
    assertThat(settings.backendStats()).isTrue();
  }

  @Test
  void moreEndpointsThanAWordCanCountAreCutOffByName() {
    List<Endpoint> endpoints =
        IntStream.rangeClosed(0, 65536)
            .mapToObj(i -> IpAddress.ofIpv4(0x0a000000 + i))
            .map(a -> new Endpoint(a, true, true, false, "", ""))
            .toList();
    ServiceState one = service("s").clusterIps("10.96.0.1").port(80).build();
    EndpointSlice slice =
        new EndpointSlice(
            new ObjectKey("default", "s-0"),
            IpFamily.IPV4,
            List.of(new EndpointPort("", Protocol.TCP, 8080)),
            endpoints);
    CompiledService compiled =
        ServiceCompiler.compile(
            new ServiceState(one.service(), List.of(slice), List.of()), NodeFacts.named("node"));
    assertThat(compiled.rows().getFirst().backends())
        .hasSize(65535)
        .last()
        .hasToString("10.0.255.254:8080");
    assertThat(compiled.rejections())
        .containsExactly(
            new Rejection.EndpointsOverLimit(key("", Protocol.TCP, IpFamily.IPV4), 65537, 65535));
  }

  @Test
  void externalAddressesAndNodePortsShareTheRowOfTheClusterIp() {
    assertThat(
            texts(
                compile(
                    service("s")
                        .type(ServiceType.LOAD_BALANCER)
                        .clusterIps("10.96.0.1", "fd01::1")
                        .externalIps("198.51.100.1", "2001:db8::1")
                        .loadBalancerIps("198.51.100.1", "198.51.100.2")
                        .nodePort("", Protocol.TCP, 80, 30080)
                        .slice(8080, ready("10.0.0.1")))))
        .containsExactly(
            "default/s/tcp (IPv4) [0.0.0.0:30080/tcp, 10.96.0.1:80/tcp, 198.51.100.1:80/tcp,"
                + " 198.51.100.2:80/tcp] -> [10.0.0.1:8080]",
            "default/s/tcp (IPv6) [[::]:30080/tcp, [2001:db8::1]:80/tcp, [fd01::1]:80/tcp] -> []");
  }

  @Test
  void externalAddressesHaveARowOfTheirOwnIfTheClusterIpObeysLocal() {
    CompiledService compiled =
        compile(
            service("s")
                .clusterIps("10.96.0.1")
                .externalIps("198.51.100.1")
                .internalPolicy(TrafficPolicy.LOCAL)
                .externalPolicy(TrafficPolicy.LOCAL)
                .port(80)
                .slice(8080, on("node", ready("10.0.0.1")), on("other", ready("10.0.0.2"))));
    assertThat(texts(compiled))
        .containsExactly(
            "default/s/tcp (IPv4) [198.51.100.1:80/tcp] -> [10.0.0.1:8080, 10.0.0.2:8080]",
            "default/s/tcp (IPv4, Local) [10.96.0.1:80/tcp] -> [10.0.0.1:8080]");
    assertThat(compiled.rows().getFirst().settings().policyLocal()).isFalse();
    assertThat(compiled.refused().toString()).isEqualTo("[10.96.0.1:*]");
  }

  @Test
  void policyLocalSaysThatThereAreEndpointsSomewhere() {
    ServiceBuilder local =
        service("s").clusterIps("10.96.0.1").internalPolicy(TrafficPolicy.LOCAL).port(80);
    assertThat(policyLocal(local)).isFalse();
    assertThat(policyLocal(local.slice(8080, on("other", notReady("10.0.0.1"))))).isFalse();
    assertThat(policyLocal(local.slice(8080, on("other", draining("10.0.0.2"))))).isTrue();
    assertThat(policyLocal(local.slice(8080, on("node", ready("10.0.0.3"))))).isTrue();
    assertThat(policyLocal(local.internalPolicy(TrafficPolicy.CLUSTER))).isFalse();
  }

  private static boolean policyLocal(ServiceBuilder builder) {
    return compile(builder).rows().getFirst().settings().policyLocal();
  }

  @Test
  void addressesThatCannotBeServedAreReported() {
    CompiledService compiled =
        compile(
            service("s")
                .clusterIps("10.96.0.1")
                .externalIps("2001:db8::1", "0.0.0.0", "127.0.0.1", "224.0.0.1", "198.51.100.1")
                .loadBalancerIps("2001:db8::1", "::")
                .port(80)
                .port("b", Protocol.UDP, 53));
    assertThat(texts(compiled))
        .containsExactly(
            "default/s/tcp (IPv4) [10.96.0.1:80/tcp, 198.51.100.1:80/tcp] -> []",
            "default/s:b/udp (IPv4) [10.96.0.1:53/udp, 198.51.100.1:53/udp] -> []");
    assertThat(compiled.rejections())
        .extracting(Rejection::sentence)
        .containsExactly(
            "external address 0.0.0.0 is not served: it names no host",
            "external address 127.0.0.1 is not served: it names no host",
            "external address 224.0.0.1 is not served: it names no host",
            "external address 2001:db8::1 is not served: the Service has no IPv6 cluster IP",
            "external address :: is not served: the Service has no IPv6 cluster IP");
  }

  @Test
  void aServiceWithoutClusterIpHasNoExternalAddressEither() {
    assertThat(
            compile(
                service("s")
                    .type(ServiceType.NODE_PORT)
                    .externalIps("198.51.100.1")
                    .nodePort("", Protocol.TCP, 80, 30080)
                    .slice(8080, ready("10.0.0.1"))))
        .isEqualTo(new CompiledService(List.of(), List.of(), List.of()));
  }

  @Test
  void sctpNodePortIsRejectedToo() {
    CompiledService compiled =
        compile(service("s").clusterIps("10.96.0.1").nodePort("", Protocol.SCTP, 80, 30080));
    assertThat(compiled.rows()).isEmpty();
    assertThat(compiled.rejections())
        .containsExactly(new Rejection.ProtocolUnsupported(key("", Protocol.SCTP, IpFamily.IPV4)));
  }
}
