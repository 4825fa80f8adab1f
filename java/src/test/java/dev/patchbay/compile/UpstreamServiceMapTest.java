// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.compile;

import static dev.patchbay.testkit.ServiceBuilder.service;
import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.model.Cidr;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Protocol;
import dev.patchbay.model.Service;
import dev.patchbay.model.ServiceType;
import dev.patchbay.model.TrafficPolicy;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.ServiceRow;
import dev.patchbay.testkit.ServiceBuilder;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * What kube-proxy's tests expect of its map of Services, asked of the rows: {@code
 * TestBuildServiceMap...} (pkg/proxy/nftables/proxier_test.go) and {@code TestServiceToServiceMap}
 * (pkg/proxy/servicechangetracker_test.go), Kubernetes 1.37. An entry of that map is a row here,
 * less SCTP, which is reported; what an entry holds are the frontends of the row.
 */
class UpstreamServiceMapTest {
  private final Compiler compiler = new Compiler(NodeFacts.named("test-node"));

  private void add(ServiceBuilder... services) {
    compiler.update(Stream.of(services).map(ServiceBuilder::build).toList(), List.of());
  }

  private void delete(String namespace, String name) {
    compiler.update(List.of(), List.of(new ObjectKey(namespace, name)));
  }

  private List<String> rows() {
    return compiler.desired().services().values().stream()
        .map(UpstreamServiceMapTest::text)
        .sorted()
        .toList();
  }

  private static String text(ServiceRow row) {
    return row.key().service() + ":" + row.key().port() + " " + row.frontends();
  }

  private List<String> sctp() {
    return compiler.rejections().stream()
        .filter(r -> r instanceof Rejection.ProtocolUnsupported)
        .map(r -> r.who().toString())
        .toList();
  }

  private static ServiceBuilder clusterIp() {
    return service("somewhere-else/cluster-ip").clusterIps("172.30.55.4");
  }

  @Test
  @DisplayName("TestBuildServiceMapAddRemove")
  void buildServiceMapAddRemove() {
    ServiceBuilder onlyLocal =
        service("somewhere/only-local-load-balancer")
            .type(ServiceType.LOAD_BALANCER)
            .clusterIps("172.30.55.12")
            .loadBalancerIps("5.6.7.8")
            .nodePort("foobar2", Protocol.UDP, 8677, 30063)
            .nodePort("baz", Protocol.UDP, 8678, 30064)
            .externalPolicy(TrafficPolicy.LOCAL)
            .healthCheckNodePort(345);
    ServiceBuilder loadBalancer =
        service("somewhere/load-balancer")
            .type(ServiceType.LOAD_BALANCER)
            .clusterIps("172.30.55.11")
            .loadBalancerIps("1.2.3.4")
            .nodePort("foobar", Protocol.UDP, 8675, 30061)
            .nodePort("baz", Protocol.UDP, 8676, 30062);
    add(
        // kube-proxy does not ask for the type before it opens a node port.
        clusterIp()
            .nodePort("something", Protocol.UDP, 1234, 4321)
            .nodePort("somethingelse", Protocol.UDP, 1235, 5321)
            .nodePort("sctpport", Protocol.SCTP, 1236, 6321),
        service("somewhere-else/node-port")
            .type(ServiceType.NODE_PORT)
            .clusterIps("172.30.55.10")
            .nodePort("blahblah", Protocol.UDP, 345, 678)
            .nodePort("moreblahblah", Protocol.TCP, 344, 677)
            .nodePort("muchmoreblah", Protocol.SCTP, 343, 676),
        loadBalancer,
        onlyLocal);
    assertThat(rows())
        .containsExactly(
            "somewhere-else/cluster-ip:something [0.0.0.0:4321/udp, 172.30.55.4:1234/udp]",
            "somewhere-else/cluster-ip:somethingelse [0.0.0.0:5321/udp, 172.30.55.4:1235/udp]",
            "somewhere-else/node-port:blahblah [0.0.0.0:678/udp, 172.30.55.10:345/udp]",
            "somewhere-else/node-port:moreblahblah [0.0.0.0:677/tcp, 172.30.55.10:344/tcp]",
            "somewhere/load-balancer:baz"
                + " [0.0.0.0:30062/udp, 1.2.3.4:8676/udp, 172.30.55.11:8676/udp]",
            "somewhere/load-balancer:foobar"
                + " [0.0.0.0:30061/udp, 1.2.3.4:8675/udp, 172.30.55.11:8675/udp]",
            "somewhere/only-local-load-balancer:baz"
                + " [0.0.0.0:30064/udp, 5.6.7.8:8678/udp, 172.30.55.12:8678/udp]",
            "somewhere/only-local-load-balancer:foobar2"
                + " [0.0.0.0:30063/udp, 5.6.7.8:8677/udp, 172.30.55.12:8677/udp]");
    // 10 there: these two are not balanced here.
    assertThat(sctp())
        .containsExactly(
            "somewhere-else/cluster-ip:sctpport/sctp (IPv4)",
            "somewhere-else/node-port:muchmoreblah/sctp (IPv4)");
    // The only-local-loadbalancer ones get added
    assertThat(HealthCheck.port(onlyLocal.build().service())).isEqualTo(345);
    assertThat(HealthCheck.port(loadBalancer.build().service())).isZero();

    // oneService is a modification of services[0] with removed first port.
    add(clusterIp().nodePort("somethingelse", Protocol.UDP, 1235, 5321));
    delete("somewhere-else", "node-port");
    delete("somewhere", "load-balancer");
    delete("somewhere", "only-local-load-balancer");
    assertThat(rows())
        .containsExactly(
            "somewhere-else/cluster-ip:somethingelse [0.0.0.0:5321/udp, 172.30.55.4:1235/udp]");
    assertThat(compiler.rejections()).isEmpty();
  }

  @Test
  @DisplayName("TestBuildServiceMapServiceHeadless")
  void buildServiceMapServiceHeadless() {
    ServiceBuilder headless =
        service("somewhere-else/headless").port("rpc", Protocol.UDP, 1234).healthCheckNodePort(345);
    add(headless, service("somewhere-else/headless-without-port"));
    assertThat(rows()).isEmpty();
    assertThat(compiler.desired().wildcards()).isEmpty();
    assertThat(HealthCheck.port(headless.build().service())).isZero();
  }

  @Test
  @DisplayName("TestBuildServiceMapServiceTypeExternalName")
  void buildServiceMapServiceTypeExternalName() {
    ServiceBuilder externalName =
        service("somewhere-else/external-name")
            .type(ServiceType.EXTERNAL_NAME)
            .clusterIps("172.30.55.4") // Should be ignored
            .nodePort("blah", Protocol.UDP, 1235, 5321);
    add(externalName);
    assertThat(rows()).isEmpty();
    assertThat(compiler.desired().wildcards()).isEmpty();
    assertThat(HealthCheck.port(externalName.build().service())).isZero();
  }

  @Test
  @DisplayName("TestBuildServiceMapServiceUpdate")
  void buildServiceMapServiceUpdate() {
    ServiceBuilder v1 =
        service("somewhere/some-service")
            .clusterIps("172.30.55.4")
            .nodePort("something", Protocol.UDP, 1234, 4321)
            .nodePort("somethingelse", Protocol.TCP, 1235, 5321);
    ServiceBuilder v2 =
        service("somewhere/some-service")
            .type(ServiceType.LOAD_BALANCER)
            .clusterIps("172.30.55.4")
            .loadBalancerIps("1.2.3.4")
            .nodePort("something", Protocol.UDP, 1234, 4321)
            .nodePort("somethingelse", Protocol.TCP, 1235, 5321)
            .externalPolicy(TrafficPolicy.LOCAL)
            .healthCheckNodePort(345);
    List<String> asClusterIp =
        List.of(
            "somewhere/some-service:something [0.0.0.0:4321/udp, 172.30.55.4:1234/udp]",
            "somewhere/some-service:somethingelse [0.0.0.0:5321/tcp, 172.30.55.4:1235/tcp]");
    List<String> asLoadBalancer =
        List.of(
            "somewhere/some-service:something"
                + " [0.0.0.0:4321/udp, 1.2.3.4:1234/udp, 172.30.55.4:1234/udp]",
            "somewhere/some-service:somethingelse"
                + " [0.0.0.0:5321/tcp, 1.2.3.4:1235/tcp, 172.30.55.4:1235/tcp]");
    add(v1);
    assertThat(rows()).isEqualTo(asClusterIp);
    assertThat(HealthCheck.port(v1.build().service())).isZero();

    // Change service to load-balancer
    add(v2);
    assertThat(rows()).isEqualTo(asLoadBalancer);
    assertThat(HealthCheck.port(v2.build().service())).isEqualTo(345);

    // No change; make sure the service map stays the same
    assertThat(compiler.update(List.of(v2.build()), List.of()).isEmpty()).isTrue();
    assertThat(rows()).isEqualTo(asLoadBalancer);

    // And back to ClusterIP
    add(v1);
    assertThat(rows()).isEqualTo(asClusterIp);
  }

  private static final String IPV4 = "10.0.0.1";
  private static final String EXTERNAL_IPV4 = "8.8.8.8";
  private static final String RANGE_IPV4 = "0.0.0.0/1";
  private static final String IPV6 = "2001:db8:85a3::8a2e:370:7334";
  private static final String EXTERNAL_IPV6 = "2001:db8:85a3::8a2e:370:7335";
  private static final String RANGE_IPV6 = "2001:db8::/32";

  /** One family of what a Service compiles to, as kube-proxy sees one per process. */
  private static DynamicTest map(
      String name, IpFamily family, ServiceBuilder builder, String... frontends) {
    return DynamicTest.dynamicTest(
        name,
        () ->
            assertThat(
                    ServiceCompiler.compile(builder.build(), NodeFacts.named("n")).rows().stream()
                        .filter(row -> row.key().family() == family)
                        .flatMap(row -> row.frontends().stream())
                        .map(FrontendKey::toString))
                .containsExactlyInAnyOrder(frontends));
  }

  private static DynamicTest ranges(
      String name, IpFamily family, ServiceBuilder builder, String... expected) {
    Service service = builder.build().service();
    return DynamicTest.dynamicTest(
        name + ": loadBalancerSourceRanges",
        () ->
            assertThat(SourceRanges.of(service, family).ranges().stream().map(Cidr::toString))
                .containsExactly(expected));
  }

  @TestFactory
  @DisplayName("TestServiceToServiceMap")
  List<DynamicTest> serviceToServiceMap() {
    ServiceBuilder nodePort =
        service("ns2/node-port")
            .type(ServiceType.NODE_PORT)
            .clusterIps("172.16.55.10")
            .nodePort("port1", Protocol.UDP, 345, 678)
            .nodePort("port2", Protocol.TCP, 344, 677);
    ServiceBuilder ipv4Only =
        service("test/validIPv4")
            .clusterIps(IPV4)
            .externalIps(EXTERNAL_IPV4)
            .loadBalancerIps(EXTERNAL_IPV4, EXTERNAL_IPV6)
            .sourceRanges(RANGE_IPV4)
            .port("testPort", Protocol.TCP, 12345);
    ServiceBuilder ipv6Only =
        service("test/validIPv6")
            .clusterIps(IPV6)
            .externalIps(EXTERNAL_IPV6)
            .loadBalancerIps(EXTERNAL_IPV4, EXTERNAL_IPV6)
            .sourceRanges(RANGE_IPV6)
            .port("testPort", Protocol.TCP, 12345);
    ServiceBuilder mixed4 = mixed("filterIPv6InIPV4Mode", IPV4);
    ServiceBuilder mixed6 = mixed("filterIPv4InIPV6Mode", IPV6);
    return List.of(
        map("headless service", IpFamily.IPV4, service("ns2/h").port("rpc", Protocol.UDP, 1234)),
        map(
            "headless sctp service",
            IpFamily.IPV4,
            service("ns2/h").port("sip", Protocol.SCTP, 7777)),
        map("headless service without port", IpFamily.IPV4, service("ns2/h")),
        map(
            "cluster ip service",
            IpFamily.IPV4,
            service("ns2/cluster-ip")
                .clusterIps("172.16.55.4")
                .port("p1", Protocol.UDP, 1234)
                .port("p2", Protocol.UDP, 1235),
            "172.16.55.4:1234/udp",
            "172.16.55.4:1235/udp"),
        map(
            "nodeport service",
            IpFamily.IPV4,
            nodePort,
            "172.16.55.10:345/udp",
            "172.16.55.10:344/tcp",
            "0.0.0.0:678/udp",
            "0.0.0.0:677/tcp"),
        map(
            "load balancer service",
            IpFamily.IPV4,
            balanced().loadBalancerIps("10.1.2.4"),
            "172.16.55.11:8675/udp",
            "172.16.55.11:8676/udp",
            "10.1.2.4:8675/udp",
            "10.1.2.4:8676/udp",
            "0.0.0.0:30061/udp",
            "0.0.0.0:30062/udp"),
        map(
            "load balancer service ipMode Proxy",
            IpFamily.IPV4,
            balanced().proxiedLoadBalancerIps("10.1.2.4"),
            "172.16.55.11:8675/udp",
            "172.16.55.11:8676/udp",
            "0.0.0.0:30061/udp",
            "0.0.0.0:30062/udp"),
        map(
            "external name service",
            IpFamily.IPV4,
            service("ns2/external-name")
                .type(ServiceType.EXTERNAL_NAME)
                .clusterIps("172.16.55.4")
                .nodePort("portz", Protocol.UDP, 1235, 5321)),
        map(
            "service with ipv6 clusterIP under ipv4 mode, service should be filtered",
            IpFamily.IPV4,
            ipv6Only),
        map(
            "service with ipv4 clusterIP under ipv6 mode, service should be filtered",
            IpFamily.IPV6,
            ipv4Only),
        map(
            "service with ipv4 configurations under ipv4 mode",
            IpFamily.IPV4,
            ipv4Only,
            "10.0.0.1:12345/tcp",
            "8.8.8.8:12345/tcp"),
        ranges(
            "service with ipv4 configurations under ipv4 mode",
            IpFamily.IPV4,
            ipv4Only,
            RANGE_IPV4),
        map(
            "service with ipv6 configurations under ipv6 mode",
            IpFamily.IPV6,
            ipv6Only,
            "[" + IPV6 + "]:12345/tcp",
            "[" + EXTERNAL_IPV6 + "]:12345/tcp"),
        ranges(
            "service with ipv6 configurations under ipv6 mode",
            IpFamily.IPV6,
            ipv6Only,
            RANGE_IPV6),
        map(
            "service with both ipv4 and ipv6 configurations under ipv4 mode, ipv6 fields should be"
                + " filtered",
            IpFamily.IPV4,
            mixed4,
            "10.0.0.1:12345/tcp",
            "8.8.8.8:12345/tcp"),
        ranges("both families under ipv4 mode", IpFamily.IPV4, mixed4, RANGE_IPV4),
        DynamicTest.dynamicTest(
            "filtered addresses are reported",
            () ->
                assertThat(
                        ServiceCompiler.compile(mixed4.build(), NodeFacts.named("n")).rejections())
                    .extracting(Rejection::sentence)
                    .containsExactly(
                        "external address "
                            + EXTERNAL_IPV6
                            + " is not served: the Service has no IPv6 cluster IP")),
        map(
            "service with both ipv4 and ipv6 configurations under ipv6 mode, ipv4 fields should be"
                + " filtered",
            IpFamily.IPV6,
            mixed6,
            "[" + IPV6 + "]:12345/tcp",
            "[" + EXTERNAL_IPV6 + "]:12345/tcp"),
        ranges("both families under ipv6 mode", IpFamily.IPV6, mixed6, RANGE_IPV6));
  }

  private static ServiceBuilder balanced() {
    return service("ns1/load-balancer")
        .type(ServiceType.LOAD_BALANCER)
        .clusterIps("172.16.55.11")
        .nodePort("port3", Protocol.UDP, 8675, 30061)
        .nodePort("port4", Protocol.UDP, 8676, 30062);
  }

  private static ServiceBuilder mixed(String name, String clusterIp) {
    return service("test/" + name)
        .clusterIps(clusterIp)
        .externalIps(EXTERNAL_IPV4, EXTERNAL_IPV6)
        .loadBalancerIps(EXTERNAL_IPV4, EXTERNAL_IPV6)
        .sourceRanges(RANGE_IPV4, RANGE_IPV6)
        .port("testPort", Protocol.TCP, 12345);
  }

  @TestFactory
  @DisplayName("TestServiceToServiceMap: health check of only local traffic policy")
  Stream<DynamicTest> healthCheck() {
    ServiceBuilder local = balanced().externalPolicy(TrafficPolicy.LOCAL).healthCheckNodePort(345);
    return Stream.of(
        DynamicTest.dynamicTest(
            "load balancer service with only local traffic policy",
            () -> assertThat(HealthCheck.port(local.build().service())).isEqualTo(345)),
        DynamicTest.dynamicTest(
            "frontends are those of any other",
            () ->
                assertThat(
                        Set.copyOf(
                            ServiceCompiler.compile(local.build(), NodeFacts.named("n")).rows()))
                    .isEqualTo(
                        Set.copyOf(
                            ServiceCompiler.compile(balanced().build(), NodeFacts.named("n"))
                                .rows()))));
  }

  /**
   * {@code NeedsHealthCheck} (pkg/api/v1/service/util.go): a port that is left over is not used.
   */
  @Test
  void healthCheckIsForLoadBalancersThatSpareNodes() {
    ServiceBuilder left = balanced().healthCheckNodePort(345);
    assertThat(HealthCheck.port(left.build().service())).isZero();
    ServiceBuilder local = left.externalPolicy(TrafficPolicy.LOCAL);
    assertThat(HealthCheck.port(local.build().service())).isEqualTo(345);
    assertThat(HealthCheck.port(local.type(ServiceType.NODE_PORT).build().service())).isZero();
  }
}
