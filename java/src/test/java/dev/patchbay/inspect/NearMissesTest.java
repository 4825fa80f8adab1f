// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.inspect;

import static dev.patchbay.testkit.ServiceBuilder.on;
import static dev.patchbay.testkit.ServiceBuilder.ready;
import static dev.patchbay.testkit.ServiceBuilder.service;
import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.model.IpAddress;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.Protocol;
import dev.patchbay.model.ServicePortKey;
import dev.patchbay.model.ServiceState;
import dev.patchbay.model.ServiceType;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.Scope;
import dev.patchbay.testkit.CompiledNode;
import dev.patchbay.testkit.Rows;
import dev.patchbay.testkit.ServiceBuilder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NearMissesTest {
  private static final NodeFacts NODE =
      new NodeFacts("node1", "", List.of(IpAddress.of("192.0.2.1"), IpAddress.of("2001:db8::1")));

  private final CompiledNode node = new CompiledNode(NODE);
  private final List<ServiceState> services = new ArrayList<>();

  private void add(ServiceBuilder builder) {
    services.add(builder.build());
    node.add(builder);
  }

  private List<NearMiss> all(String destination, Protocol protocol) {
    FrontendKey tcp = Rows.frontend(destination);
    return NearMisses.of(
        node.observed(),
        frontend -> node.compiler().owner(frontend).map(ServicePortKey::service).orElse(null),
        services,
        NODE,
        new FrontendKey(tcp.address(), tcp.port(), protocol, Scope.INTERNAL));
  }

  private List<String> of(String destination, Protocol protocol) {
    return all(destination, protocol).stream().map(m -> m.kind() + ": " + m.sentence()).toList();
  }

  private List<String> of(String destination) {
    return of(destination, Protocol.TCP);
  }

  private static ServiceBuilder web() {
    return service("web")
        .clusterIps("10.96.0.10", "fd00:10:96::a")
        .type(ServiceType.NODE_PORT)
        .nodePort("http", Protocol.TCP, 80, 30080)
        .slice("http", 8080, on("node2", ready("10.1.0.1")));
  }

  private static ServiceBuilder dns() {
    return service("kube-system/kube-dns")
        .clusterIps("10.96.0.2")
        .port("dns", Protocol.UDP, 53)
        .port("dns-tcp", Protocol.TCP, 53)
        .port("metrics", Protocol.TCP, 9153);
  }

  @Test
  void anotherProtocolAndOtherPortsOfTheAddress() {
    add(dns());
    assertThat(of("10.96.0.2:9153", Protocol.UDP))
        .containsExactly(
            "OTHER_PROTOCOL: 10.96.0.2:9153/tcp, the same port with another protocol, is served by"
                + " kube-system/kube-dns",
            "OTHER_PORT: the address serves 53/tcp, 53/udp of kube-system/kube-dns");
    assertThat(of("10.96.0.2:54"))
        .containsExactly(
            "OTHER_PORT: the address serves 53/tcp, 53/udp, 9153/tcp of kube-system/kube-dns");
    assertThat(all("10.96.0.2:54", Protocol.TCP).getFirst().service())
        .hasToString("kube-system/kube-dns");
  }

  @Test
  void thePortOfTheEndpointsInPlaceOfTheServices() {
    add(web());
    assertThat(of("10.96.0.10:8080"))
        .containsExactly(
            "TARGET_PORT: 8080 is a port of the endpoints of default/web; its clients use 80/tcp",
            "OTHER_PORT: the address serves 80/tcp of default/web");
  }

  @ParameterizedTest
  @CsvSource({"192.0.2.1, IPv4", "'[2001:db8::1]', IPv6"})
  void aNodesAddress(String address) {
    add(web());
    assertThat(of(address + ":30081"))
        .containsExactly(
            "NO_SUCH_NODE_PORT: the address is a node's, and no Service has node port 30081/tcp");
    assertThat(of(address + ":30080", Protocol.UDP))
        .containsExactly(
            "NO_SUCH_NODE_PORT: the address is a node's, and no Service has node port 30080/udp;"
                + " node port 30080/tcp is that of default/web");
    assertThat(of(address + ":80"))
        .containsExactly(
            "NO_SUCH_NODE_PORT: the address is a node's, and no Service has node port 80/tcp",
            "PORT_OF_SERVICE: the node port for 80/tcp of default/web is 30080");
  }

  @Test
  void aNodePortAtAnAddressThatIsNoNodes() {
    add(web());
    assertThat(of("198.51.100.1:30080"))
        .containsExactly(
            "NODE_PORT_ELSEWHERE: 30080/tcp is a node port of default/web; node ports are served at"
                + " 192.0.2.1");
  }

  @Test
  void anEndpoint() {
    add(web());
    add(service("direct").slice("http", 8080, ready("10.1.0.1")));
    assertThat(of("10.1.0.1:8080"))
        .containsExactly(
            "ENDPOINT: the address is an endpoint of default/direct",
            "ENDPOINT: the address is an endpoint of default/web on node node2; its clients use"
                + " 10.96.0.10:80/tcp");
    assertThat(of("10.1.0.1:22"))
        .last()
        .isEqualTo(
            "ENDPOINT: the address is an endpoint of default/web on node node2; its clients use"
                + " 10.96.0.10");
  }

  @Test
  void theAddressOfAProxiedLoadBalancer() {
    add(web().type(ServiceType.LOAD_BALANCER).proxiedLoadBalancerIps("203.0.113.5"));
    assertThat(of("203.0.113.5:80"))
        .containsExactly(
            "PROXIED_LOAD_BALANCER: the address is the load balancer's of default/web, whose ipMode"
                + " is Proxy: connections are meant to go there");
  }

  @Test
  void anAddressOfNobodyAmongClusterIps() {
    add(web());
    add(service("far").clusterIps("10.97.3.1").port(443));
    assertThat(of("10.96.77.10:8443"))
        .containsExactly(
            "UNASSIGNED: no Service has the address, though it is in 10.96.0.0/15, where all IPv4"
                + " cluster IPs are");
    assertThat(of("10.98.0.10:8443")).isEmpty();
    assertThat(of("[fd00:10:96::77]:8443"))
        .containsExactly(
            "UNASSIGNED: no Service has the address, though it is in fd00:10:96::/120, where all"
                + " IPv6 cluster IPs are");
  }

  @Test
  void clusterIpsFarApartHaveNothingBetweenThem() {
    add(web());
    add(service("far").clusterIps("172.30.0.1").port(443));
    assertThat(of("100.64.0.1:8443")).isEmpty();
  }

  @Test
  void anAddressWithASlipOfThePen() {
    add(web());
    assertThat(of("10.96.0.11:80"))
        .first()
        .isEqualTo(
            "SIMILAR_ADDRESS: 10.96.0.10:80/tcp, an address like it, is served by default/web");
    assertThat(of("10.69.0.10:80")).hasSize(1).first().asString().startsWith("SIMILAR_ADDRESS");
    assertThat(of("10.96.0.11:81")).noneMatch(m -> m.startsWith("SIMILAR_ADDRESS"));
    for (int i = 1; i <= 5; i++) {
      add(service("more-" + i).clusterIps("10.96.0.2" + i).port(80));
    }
    assertThat(of("10.96.0.20:80").stream().filter(m -> m.startsWith("SIMILAR")))
        .hasSize(4)
        .last()
        .isEqualTo("SIMILAR_ADDRESS: 3 more addresses like it are served at that port");
  }

  @Test
  void theOtherFamily() {
    add(web());
    add(service("old").clusterIps("10.96.0.20").port(80));
    assertThat(of("[fd00:10:96::14]:80"))
        .contains(
            "OTHER_FAMILY: default/old is served at 10.96.0.20:80/tcp, and has no IPv6 address");
    assertThat(of("[64:ff9b::10.96.0.10]:80"))
        .containsExactly(
            "OTHER_FAMILY: default/web is served at 10.96.0.10:80/tcp, and has the IPv6 address"
                + " fd00:10:96::a");
    assertThat(of("[64:ff9b::10.96.0.10]:81")).isEmpty();
  }

  @Test
  void nothingIsNearToAnAddressFarAway() {
    add(web());
    add(dns());
    assertThat(of("198.51.100.7:443")).isEmpty();
  }

  @Test
  void withoutASnapshotTheMapsStillTell() {
    node.add(web());
    assertThat(
            NearMisses.of(
                    node.observed(),
                    frontend -> null,
                    List.of(),
                    NodeFacts.named(""),
                    Rows.frontend("10.96.0.10:81"))
                .getFirst()
                .sentence())
        .isEqualTo("the address serves 80/tcp of a Service without a name in the snapshot");
  }

  @ParameterizedTest
  @CsvSource({
    "abc, abc, false",
    "abc, abd, true",
    "abc, ab, true",
    "bc, abc, true",
    "abc, acb, true",
    "abc, bca, false",
    "abc, a, false",
    "abcd, badc, false",
    "a, b, true",
  })
  void differByOne(String a, String b, boolean wanted) {
    assertThat(NearMisses.differByOne(a, b)).isEqualTo(wanted);
    assertThat(NearMisses.differByOne(b, a)).isEqualTo(wanted);
  }
}
