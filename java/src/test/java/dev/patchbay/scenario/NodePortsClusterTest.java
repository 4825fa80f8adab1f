// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.Client;
import dev.patchbay.lab.Client.Kind;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Outcome;
import dev.patchbay.lab.Pod;
import dev.patchbay.lab.Result;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Node ports, addresses of load balancers and external IPs, for clients on the nodes. */
@EndToEnd
class NodePortsClusterTest {
  private static final int CHOSEN = 30080;
  private static final String[] BOTH = {"web-1", "web-2"};

  @AutoClose private final TwoNodes two = new TwoNodes();

  @BeforeAll
  void start() {
    two.cluster.apply(
        TwoNodes.pod("web-1", "web", two.node1, 0)
            + TwoNodes.pod("web-2", "web", two.node2, 0)
            + service("web", "NodePort", "").replace("port: 90", "nodePort: 30080, port: 90"));
    TwoNodes.meets(two.pod1, two.clusterIp("web"), BOTH);
  }

  /** A Service in front of the two Pods. */
  private static String service(String name, String type, String line) {
    return TwoNodes.service(name, "type: " + type, line.isEmpty() ? "# no more" : line)
        .replace("app: " + name + "}", "app: web}");
  }

  private static String loopback(Family family) {
    return family == Family.IPV4 ? "127.0.0.1" : "::1";
  }

  @ParameterizedTest
  @EnumSource
  void nodePortsAnswerAtAllNodesAddresses(Family family) {
    int udp = two.nodePort("web", "udp");
    assertThat(udp).isBetween(30000, 32767);
    for (Client client : two.clients()) {
      for (Node node : List.of(two.node1, two.node2)) {
        String address = node.host().address(family);
        TwoNodes.meets(client, Kind.TCP, address, CHOSEN, BOTH);
        TwoNodes.meets(client, Kind.UDP, address, udp, BOTH);
        TwoNodes.meets(client, Kind.UDP_UNCONNECTED, address, udp, BOTH);
        TwoNodes.meets(client, Kind.TCP, address, CHOSEN + 1, Outcome.REFUSED);
      }
    }
    for (Client client : List.of(two.host1, two.host2)) {
      TwoNodes.meets(client, Kind.TCP, loopback(family), CHOSEN, BOTH);
      TwoNodes.meets(client, Kind.UDP, loopback(family), udp, BOTH);
      TwoNodes.meets(client, Kind.UDP_UNCONNECTED, loopback(family), udp, BOTH);
    }
  }

  @ParameterizedTest
  @EnumSource
  void theLoopbackAddressOfAPodIsItsOwn(Family family) {
    Pod pod = two.node1.addPod("own-" + family.number());
    Client client = pod.client();
    TwoNodes.meets(client, Kind.TCP, loopback(family), CHOSEN, Outcome.REFUSED);
    pod.serve("--banner", Integer.toString(CHOSEN));
    TwoNodes.meets(client, Kind.TCP, loopback(family), CHOSEN, pod.name());
  }

  @Test
  void portsOfTheNodeThatAreNoNodePortsAreTheNodes() {
    Pod daemon = two.node2.addHostPod("daemon");
    daemon.serve("--banner", "9100", "--udp", "9200");
    for (Client client : List.of(two.pod1, two.pod2, two.host2)) {
      TwoNodes.meets(client, Kind.TCP, two.node2.host().ipv4(), 9100, "daemon");
      TwoNodes.meets(client, Kind.UDP_UNCONNECTED, two.node2.host().ipv6(), 9200, "daemon");
    }
  }

  @Test
  void curlReachesANodePort() {
    int port = two.nodePort("web", "http");
    for (Client client : List.of(two.pod2, two.host2)) {
      assertThat(client.pod().curl("http://" + two.node1.host().ipv4() + ":" + port).orFail().out())
          .startsWith("You've hit web-");
    }
    assertThat(two.node2.host().curl("http://localhost:" + port).orFail().out())
        .startsWith("You've hit web-");
  }

  @Test
  void noTwoServicesShareANodePort() {
    two.cluster.apply(service("more", "NodePort", ""));
    assertThat(two.nodePort("more", "http")).isNotEqualTo(two.nodePort("web", "http"));
    Result taken =
        two.cluster.kubectl(
            "patch",
            "service",
            "more",
            "--type=json",
            "--patch=[{\"op\":\"replace\",\"path\":\"/spec/ports/1/nodePort\",\"value\":30080}]");
    assertThat(taken.exit()).isNotZero();
    assertThat(taken.err()).contains("already allocated");
    int port = two.nodePort("more", "banner");
    String address = two.node2.host().ipv4();
    TwoNodes.meets(two.pod1, Kind.TCP, address, port, BOTH);
    two.cluster.apply(service("more", "ClusterIP", ""));
    TwoNodes.meets(two.pod1, Kind.TCP, address, port, Outcome.REFUSED);
    TwoNodes.meets(two.pod1, two.clusterIp("more"), BOTH);
  }

  @Test
  void addressesOfLoadBalancersAreServedUnlessTheyAreProxies() {
    two.cluster.apply(service("balanced", "LoadBalancer", ""));
    two.loadBalancer("balanced", Map.of("ip", "203.0.113.7"));
    for (Client client : two.clients()) {
      TwoNodes.meets(client, "203.0.113.7", BOTH);
      TwoNodes.meets(client, Kind.UDP_UNCONNECTED, "203.0.113.7", TwoNodes.UDP, BOTH);
    }
    TwoNodes.meets(
        two.host1, Kind.TCP, two.node2.host().ipv4(), two.nodePort("balanced", "banner"), BOTH);
    two.loadBalancer("balanced", Map.of("ip", "203.0.113.7", "ipMode", "Proxy"));
    for (Client client : two.clients()) {
      TwoNodes.meets(client, "203.0.113.7", Outcome.NOT_TRANSLATED);
    }
    two.loadBalancer("balanced", Map.of("ip", "2001:db8:7::7", "ipMode", "VIP"));
    for (Client client : two.clients()) {
      TwoNodes.meets(client, "2001:db8:7::7", BOTH);
    }
  }

  @Test
  void sourceRangesAreForClientsFromOutside() {
    String strangers = "loadBalancerSourceRanges: [198.51.100.0/24, '2001:db8:99::/48']";
    String everybody = "loadBalancerSourceRanges: [198.51.100.0/24, 0.0.0.0/0]";
    String external = "\n  externalIPs: [203.0.113.10]";
    String remark = "loadBalancerSourceRanges are for clients from outside";
    two.cluster.apply(service("guarded", "LoadBalancer", strangers + external));
    two.loadBalancer("guarded", Map.of("ip", "203.0.113.9"));
    int nodePort = two.nodePort("guarded", "banner");
    for (Client client : two.clients()) {
      // Every client here is in none of the ranges. What connects on a node is served all the same.
      TwoNodes.meets(client, "203.0.113.9", BOTH);
      TwoNodes.meets(client, Kind.UDP, "203.0.113.9", TwoNodes.UDP, BOTH);
      // And these would be open even to clients from outside.
      TwoNodes.meets(client, "203.0.113.10", BOTH);
      TwoNodes.meets(client, two.clusterIp("guarded"), BOTH);
      TwoNodes.meets(client, Kind.TCP, two.node1.host().ipv4(), nodePort, BOTH);
    }
    // Whoever relies on them for clients inside is told.
    Eventually.soon(
        () -> assertThat(explain("203.0.113.9")).contains("default/guarded").contains(remark));
    assertThat(explain("203.0.113.10")).contains("default/guarded").doesNotContain(remark);
    assertThat(explain(two.clusterIp("guarded"))).doesNotContain(remark);
    two.loadBalancer("guarded", Map.of("ip", "2001:db8:7::9"));
    TwoNodes.meets(two.pod2, "2001:db8:7::9", BOTH);
    Eventually.soon(() -> assertThat(explain("2001:db8:7::9")).contains(remark));
    two.loadBalancer("guarded", Map.of("ip", "203.0.113.9"));
    two.cluster.apply(service("guarded", "LoadBalancer", everybody));
    Eventually.soon(
        () ->
            assertThat(explain("203.0.113.9")).contains("default/guarded").doesNotContain(remark));
    TwoNodes.meets(two.host1, "203.0.113.9", BOTH);
  }

  private String explain(String address) {
    return two.node1.read("explain", Family.hostPort(address, TwoNodes.BANNER)).orFail().out();
  }

  @Test
  void externalIpsAreServed() {
    String addresses = "externalIPs: [203.0.113.8, '2001:db8:7::8']";
    two.cluster.apply(service("reachable", "ClusterIP", addresses));
    for (Client client : two.clients()) {
      TwoNodes.meets(client, "203.0.113.8", BOTH);
      TwoNodes.meets(client, "2001:db8:7::8", BOTH);
      TwoNodes.meets(client, Kind.UDP, "203.0.113.8", TwoNodes.UDP, BOTH);
      // Not a port of the Service: the address is somebody else's.
      TwoNodes.meets(client, Kind.TCP, "203.0.113.8", 91, Outcome.NOT_TRANSLATED);
    }
    two.cluster.apply(service("reachable", "ClusterIP", ""));
    TwoNodes.meets(two.pod1, "203.0.113.8", Outcome.NOT_TRANSLATED);
  }

  @Test
  void nobodyOnTheNodeMayListenOnANodePort() {
    int port = two.nodePort("web", "http");
    for (String family : List.of("AF_INET", "AF_INET6")) {
      assertThat(bind(two.node1.addHostPod("binder-" + family), family, port))
          .isEqualTo("EADDRINUSE\n");
      assertThat(bind(two.node1.addPod("pod-binder-" + family), family, port)).isEqualTo("ok\n");
    }
    assertThat(bind(two.node1.addHostPod("binder"), "AF_INET", 9300)).isEqualTo("ok\n");
    String words = port + "/TCP";
    Eventually.soon(
        () ->
            assertThat(two.node1.agent().err().lines())
                .anySatisfy(line -> assertThat(line).contains("python3", words, "default/web")));
    Eventually.soon(
        () ->
            assertThat(two.events("web"))
                .anySatisfy(
                    event ->
                        assertThat(event)
                            .contains("NodePortBindRefused", "node1", "python3", words)));
    assertThat(two.cluster.kubectl("get", "events", "--output=wide").orFail().out())
        .contains("NodePortBindRefused", "service/web");
  }

  private static String bind(Pod place, String family, int port) {
    return place
        .exec(
            "/usr/bin/python3",
            "-c",
            """
            import errno, socket
            try:
                socket.socket(socket.%s, socket.SOCK_STREAM).bind(("", %d))
                print("ok")
            except OSError as error:
                print(errno.errorcode[error.errno])
            """
                .formatted(family, port))
        .orFail()
        .out();
  }
}
