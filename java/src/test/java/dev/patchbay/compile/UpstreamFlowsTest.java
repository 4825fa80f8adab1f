// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.compile;

import static dev.patchbay.testkit.ServiceBuilder.draining;
import static dev.patchbay.testkit.ServiceBuilder.on;
import static dev.patchbay.testkit.ServiceBuilder.ready;
import static dev.patchbay.testkit.ServiceBuilder.service;
import static dev.patchbay.testkit.ServiceBuilder.terminated;
import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.model.Endpoint;
import dev.patchbay.model.EndpointPort;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.Protocol;
import dev.patchbay.model.Service;
import dev.patchbay.model.ServiceState;
import dev.patchbay.model.ServiceType;
import dev.patchbay.model.TrafficPolicy;
import dev.patchbay.table.Backend;
import dev.patchbay.testkit.CompiledNode;
import dev.patchbay.testkit.ServiceBuilder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * The packet flows of kube-proxy's unit tests (pkg/proxy/nftables/proxier_test.go, Kubernetes 1.37)
 * with its names, addresses and expectations, as far as they start on the node: a Pod's and the
 * node's own sockets are treated alike when they connect. Where it says REJECT, a socket gets
 * {@code ECONNREFUSED}; where it says DROP, because the policy forbids all endpoints, a socket gets
 * {@code EHOSTUNREACH} and need not wait.
 *
 * <p>Flows from outside are not in the maps yet; what they may choose is asked of {@link
 * EndpointSelection} under the external policy. Whether packets are masqueraded has no meaning at
 * connect time.
 */
class UpstreamFlowsTest {
  private static final String NODE = "test-node";
  private static final String NODE_IP = "192.168.0.2";
  private static final String NODE_IP_ALT = "192.168.1.2";
  private static final String NODE_IPV6 = "2001:db8::1";
  private static final String NODE_IPV6_ALT = "2001:db8:1::2";
  private static final String EXTERNAL_CLIENT = "203.0.113.2";
  private static final String EXTERNAL_CLIENT_BLOCKED = "203.0.113.130";

  private static CompiledNode node(String... addresses) {
    return new CompiledNode(
        new NodeFacts(NODE, "", Arrays.stream(addresses).map(IpAddress::of).toList()));
  }

  private static DynamicTest flow(
      String name, CompiledNode node, String destination, String expected) {
    return flow(name, node, destination, Protocol.TCP, expected);
  }

  private static DynamicTest flow(
      String name, CompiledNode node, String destination, Protocol protocol, String expected) {
    return DynamicTest.dynamicTest(
        name, () -> assertThat(node.connect(destination, protocol)).isEqualTo(expected));
  }

  /** What a packet from outside may be sent to, at the first port of a Service. */
  private static DynamicTest outside(String name, ServiceBuilder builder, String expected) {
    return DynamicTest.dynamicTest(name, () -> assertThat(outside(builder)).isEqualTo(expected));
  }

  private static String outside(ServiceBuilder builder) {
    ServiceState state = builder.build();
    Service service = state.service();
    assertThat(service.isExternallyReachable()).isTrue();
    Selection selection =
        EndpointSelection.select(
            service,
            service.ports().getFirst(),
            IpFamily.IPV4,
            state.slices(),
            NodeFacts.named(NODE));
    List<Backend> chosen = selection.chosen(service.externalPolicy());
    if (chosen.isEmpty()) {
      return selection.anyUsable() ? "DROP" : "REJECT";
    }
    return chosen.stream().map(Backend::toString).collect(Collectors.joining(", "));
  }

  @TestFactory
  @DisplayName("TestNoEndpointsReject")
  List<DynamicTest> noEndpointsReject() {
    ServiceBuilder svc1 =
        service("ns1/svc1")
            .type(ServiceType.LOAD_BALANCER)
            .clusterIps("172.30.0.41")
            .externalIps("192.168.99.11")
            .loadBalancerIps("1.2.3.4")
            .nodePort("p80", Protocol.TCP, 80, 3001);
    CompiledNode node = node(NODE_IP).add(svc1);
    String refused = "ECONNREFUSED";
    return List.of(
        flow("pod to cluster IP with no endpoints", node, "172.30.0.41:80", refused),
        // Upstream has these from outside only.
        flow("pod to external IP with no endpoints", node, "192.168.99.11:80", refused),
        outside("external to external IP with no endpoints", svc1, "REJECT"),
        flow("pod to NodePort with no endpoints", node, NODE_IP + ":3001", refused),
        outside("external to NodePort with no endpoints", svc1, "REJECT"),
        flow("pod to LoadBalancer IP with no endpoints", node, "1.2.3.4:80", refused),
        outside("external to LoadBalancer IP with no endpoints", svc1, "REJECT"),
        // What is not theirs is left alone, except at the cluster IP.
        flow("pod to another port of the cluster IP", node, "172.30.0.41:81", refused),
        flow("pod to another port of the external IP", node, "192.168.99.11:81", "untouched"),
        flow("pod to another port of the LoadBalancer IP", node, "1.2.3.4:81", "untouched"),
        flow("pod to another port of the node", node, NODE_IP + ":80", "untouched"),
        flow("pod to the NodePort over UDP", node, NODE_IP + ":3001", Protocol.UDP, "untouched"),
        flow("pod to the NodePort at an external IP", node, "192.168.99.11:3001", "untouched"),
        flow("pod to the NodePort at the cluster IP", node, "172.30.0.41:3001", refused));
  }

  @TestFactory
  @DisplayName("TestClusterIPGeneral")
  List<DynamicTest> clusterIpGeneral() {
    ServiceBuilder svc1 =
        service("ns1/svc1")
            .clusterIps("172.30.0.41")
            .port("http", Protocol.TCP, 80)
            .slice("http", 80, on(NODE, ready("10.180.0.1")));
    ServiceBuilder svc2 =
        service("ns2/svc2")
            .clusterIps("172.30.0.42")
            .port("http", Protocol.TCP, 80)
            .port("https", Protocol.TCP, 443)
            .port("dns-udp", Protocol.UDP, 53)
            .port("dns-tcp", Protocol.TCP, 53)
            .port("dns-sctp", Protocol.SCTP, 53)
            .slice(
                List.of(
                    new EndpointPort("http", Protocol.TCP, 80),
                    new EndpointPort("https", Protocol.TCP, 8443),
                    new EndpointPort("dns-udp", Protocol.UDP, 53),
                    new EndpointPort("dns-tcp", Protocol.TCP, 5353),
                    new EndpointPort("dns-sctp", Protocol.SCTP, 53)),
                on(NODE, ready("10.180.0.1")),
                on("node2", ready("10.180.2.1")));
    CompiledNode node = node(NODE_IP).add(svc1, svc2);
    return List.of(
        flow("simple clusterIP", node, "172.30.0.41:80", "10.180.0.1:80"),
        // The client is not asked who he is: he may be that endpoint.
        flow("hairpin to cluster IP", node, "172.30.0.41:80", "10.180.0.1:80"),
        flow(
            "clusterIP with multiple endpoints",
            node,
            "172.30.0.42:80",
            "10.180.0.1:80, 10.180.2.1:80"),
        flow(
            "clusterIP with TargetPort",
            node,
            "172.30.0.42:443",
            "10.180.0.1:8443, 10.180.2.1:8443"),
        flow(
            "clusterIP with TCP, UDP, and SCTP on same port (TCP)",
            node,
            "172.30.0.42:53",
            Protocol.TCP,
            "10.180.0.1:5353, 10.180.2.1:5353"),
        flow(
            "clusterIP with TCP, UDP, and SCTP on same port (UDP)",
            node,
            "172.30.0.42:53",
            Protocol.UDP,
            "10.180.0.1:53, 10.180.2.1:53"),
        // Deliberately different: SCTP is reported, and left alone.
        flow(
            "clusterIP with TCP, UDP, and SCTP on same port (SCTP)",
            node,
            "172.30.0.42:53",
            Protocol.SCTP,
            "untouched"),
        flow(
            "TCP-only port does not match UDP traffic",
            node,
            "172.30.0.42:80",
            Protocol.UDP,
            "ECONNREFUSED"),
        flow("svc1 does not accept svc2's ports", node, "172.30.0.41:443", "ECONNREFUSED"),
        // Deliberately different: kube-proxy drops what it knows to be in a Service CIDR.
        flow("packet to unallocated cluster ip", node, "172.30.0.50:80", "untouched"),
        DynamicTest.dynamicTest(
            "SCTP is reported",
            () ->
                assertThat(node.rejections())
                    .containsExactly(
                        "ns2/svc2:dns-sctp/sctp (IPv4): protocol SCTP is not supported;"
                            + " only TCP and UDP are")));
  }

  @TestFactory
  @DisplayName("TestLoadBalancer")
  List<DynamicTest> loadBalancer() {
    ServiceBuilder svc1 =
        service("ns1/svc1")
            .type(ServiceType.LOAD_BALANCER)
            .clusterIps("172.30.0.41")
            .loadBalancerIps("1.2.3.4", "5.6.7.8")
            .sourceRanges("192.168.0.0/24", "203.0.113.0/25")
            .nodePort("p80", Protocol.TCP, 80, 3001)
            .slice("p80", 80, on(NODE, ready("10.180.0.1")));
    CompiledNode node = node(NODE_IP).add(svc1);
    SourceRanges ranges = SourceRanges.of(svc1.build().service(), IpFamily.IPV4);
    String endpoint = "10.180.0.1:80";
    return List.of(
        flow("pod to cluster IP", node, "172.30.0.41:80", endpoint),
        outside("external to nodePort", svc1, endpoint),
        // Node ports ask for no source: the ranges are for the load balancer's addresses.
        outside("nodePort bypasses LoadBalancerSourceRanges", svc1, endpoint),
        judged("accepted external to LB1", ranges, EXTERNAL_CLIENT, true),
        judged("accepted external to LB2", ranges, EXTERNAL_CLIENT, true),
        judged("blocked external to LB1", ranges, EXTERNAL_CLIENT_BLOCKED, false),
        judged("blocked external to LB2", ranges, EXTERNAL_CLIENT_BLOCKED, false),
        // Deliberately different: ranges are enforced on packets from outside. A socket on the
        // node can reach the same endpoints through the cluster IP and the node port anyhow.
        judged("pod to LB1 (blocked by LoadBalancerSourceRanges)", ranges, "10.0.0.2", false),
        flow("pod to LB1 (not blocked when it connects)", node, "1.2.3.4:80", endpoint),
        flow("pod to LB2 (not blocked when it connects)", node, "5.6.7.8:80", endpoint),
        judged("node to LB1 (allowed by LoadBalancerSourceRanges)", ranges, NODE_IP, true),
        flow("node to LB1 (allowed by LoadBalancerSourceRanges)", node, "1.2.3.4:80", endpoint),
        flow("node to LB2 (allowed by LoadBalancerSourceRanges)", node, "5.6.7.8:80", endpoint));
  }

  private static DynamicTest judged(
      String name, SourceRanges ranges, String client, boolean allowed) {
    return DynamicTest.dynamicTest(
        name, () -> assertThat(ranges.allowed(IpAddress.of(client))).isEqualTo(allowed));
  }

  @TestFactory
  @DisplayName("TestNodePorts")
  Stream<DynamicTest> nodePorts() {
    String ipv4 = "10.180.0.1:80, 10.180.2.1:80";
    String ipv6 = "[fd00:10:180::1]:80, [fd00:10:180::2:1]:80";
    CompiledNode primary = nodePortNode(NODE_IP, NODE_IPV6);
    CompiledNode all = nodePortNode(NODE_IP, NODE_IP_ALT, NODE_IPV6, NODE_IPV6_ALT);
    return Stream.of(
        flow("ipv4: pod to cluster IP", primary, "172.30.0.41:80", ipv4),
        flow("ipv4: node to nodePort", primary, NODE_IP + ":3001", ipv4),
        flow(
            "ipv4: secondary nodeIP ignores NodePorts",
            primary,
            NODE_IP_ALT + ":3001",
            "untouched"),
        flow("ipv4, multiple nodeport-addresses: node to nodePort", all, NODE_IP + ":3001", ipv4),
        flow(
            "ipv4, multiple nodeport-addresses: nodePort on secondary IP",
            all,
            NODE_IP_ALT + ":3001",
            ipv4),
        flow("ipv6: pod to cluster IP", primary, "[fd00:172:30::41]:80", ipv6),
        flow("ipv6: node to nodePort", primary, "[" + NODE_IPV6 + "]:3001", ipv6),
        flow(
            "ipv6: secondary nodeIP ignores NodePorts",
            primary,
            "[" + NODE_IPV6_ALT + "]:3001",
            "untouched"),
        flow(
            "ipv6, multiple nodeport-addresses: nodePort on secondary IP",
            all,
            "[" + NODE_IPV6_ALT + "]:3001",
            ipv6));
  }

  private static CompiledNode nodePortNode(String... addresses) {
    return node(addresses)
        .add(
            service("ns1/svc1")
                .type(ServiceType.NODE_PORT)
                .clusterIps("172.30.0.41", "fd00:172:30::41")
                .nodePort("p80", Protocol.TCP, 80, 3001)
                .slice(
                    "p80", 80, on("other-node", ready("10.180.0.1")), on(NODE, ready("10.180.2.1")))
                .slice(
                    "p80",
                    80,
                    on("other-node", ready("fd00:10:180::1")),
                    on(NODE, ready("fd00:10:180::2:1"))));
  }

  private static ServiceBuilder externalPolicyService(TrafficPolicy policy) {
    return service("ns1/svc1")
        .type(ServiceType.LOAD_BALANCER)
        .externalPolicy(policy)
        .clusterIps("172.30.0.41")
        .externalIps("192.168.99.11")
        .loadBalancerIps("1.2.3.4")
        .healthCheckNodePort(policy == TrafficPolicy.LOCAL ? 30000 : 0)
        .nodePort("p80", Protocol.TCP, 80, 3001)
        .slice("p80", 80, on("other-node", ready("10.180.0.1")), on(NODE, ready("10.180.2.1")));
  }

  @TestFactory
  @DisplayName("TestExternalTrafficPolicyLocal")
  List<DynamicTest> externalTrafficPolicyLocal() {
    ServiceBuilder svc1 = externalPolicyService(TrafficPolicy.LOCAL);
    CompiledNode node = node(NODE_IP).add(svc1);
    String both = "10.180.0.1:80, 10.180.2.1:80";
    return List.of(
        flow("pod to cluster IP hits both endpoints, unmasqueraded", node, "172.30.0.41:80", both),
        flow(
            "pod to external IP hits both endpoints, unmasqueraded",
            node,
            "192.168.99.11:80",
            both),
        outside(
            "external to external IP hits only local endpoint, unmasqueraded",
            svc1,
            "10.180.2.1:80"),
        flow("pod to LB IP hits only both endpoints, unmasqueraded", node, "1.2.3.4:80", both),
        outside("external to LB IP hits only local endpoint, unmasqueraded", svc1, "10.180.2.1:80"),
        flow("pod to NodePort hits both endpoints, unmasqueraded", node, NODE_IP + ":3001", both),
        outside(
            "external to NodePort hits only local endpoint, unmasqueraded", svc1, "10.180.2.1:80"));
  }

  @TestFactory
  @DisplayName("TestExternalTrafficPolicyCluster")
  List<DynamicTest> externalTrafficPolicyCluster() {
    ServiceBuilder svc1 = externalPolicyService(TrafficPolicy.CLUSTER);
    CompiledNode node = node(NODE_IP).add(svc1);
    String both = "10.180.0.1:80, 10.180.2.1:80";
    return List.of(
        flow("pod to cluster IP hits both endpoints, unmasqueraded", node, "172.30.0.41:80", both),
        flow("pod to external IP hits both endpoints, masqueraded", node, "192.168.99.11:80", both),
        outside("external to external IP hits both endpoints, masqueraded", svc1, both),
        flow("pod to LB IP hits both endpoints, masqueraded", node, "1.2.3.4:80", both),
        outside("external to LB IP hits both endpoints, masqueraded", svc1, both),
        flow("pod to NodePort hits both endpoints, masqueraded", node, NODE_IP + ":3001", both),
        outside("external to NodePort hits both endpoints, masqueraded", svc1, both));
  }

  @TestFactory
  @DisplayName("TestInternalTrafficPolicy")
  List<DynamicTest> internalTrafficPolicy() {
    List<DynamicTest> tests = new ArrayList<>();
    internalTrafficPolicy(
        tests,
        "internalTrafficPolicy is cluster: pod to ClusterIP hits all endpoints",
        TrafficPolicy.CLUSTER,
        "10.0.1.1:80, 10.0.1.2:80, 10.0.1.3:80",
        NODE,
        "node1",
        "node2");
    internalTrafficPolicy(
        tests,
        "internalTrafficPolicy is local and there is one local endpoint:"
            + " pod to ClusterIP hits only local endpoint",
        TrafficPolicy.LOCAL,
        "10.0.1.1:80",
        NODE,
        "node1",
        "node2");
    internalTrafficPolicy(
        tests,
        "internalTrafficPolicy is local and there are multiple local endpoints:"
            + " pod to ClusterIP hits all local endpoints",
        TrafficPolicy.LOCAL,
        "10.0.1.1:80, 10.0.1.2:80",
        NODE,
        NODE,
        "node2");
    internalTrafficPolicy(
        tests,
        "internalTrafficPolicy is local and there are no local endpoints: no endpoints",
        TrafficPolicy.LOCAL,
        "EHOSTUNREACH",
        "node0",
        "node1",
        "node2");
    return tests;
  }

  private static void internalTrafficPolicy(
      List<DynamicTest> tests,
      String name,
      TrafficPolicy policy,
      String expected,
      String... nodes) {
    Endpoint[] endpoints = new Endpoint[nodes.length];
    for (int i = 0; i < nodes.length; i++) {
      endpoints[i] = on(nodes[i], ready("10.0.1." + (i + 1)));
    }
    ServiceBuilder with = internal(policy).slice(80, endpoints);
    tests.add(flow(name, node(NODE_IP).add(with), "172.30.1.1:80", expected));
    CompiledNode without = node(NODE_IP).add(with).add(internal(policy));
    tests.add(flow(name + ": endpoints deleted", without, "172.30.1.1:80", "ECONNREFUSED"));
  }

  private static ServiceBuilder internal(TrafficPolicy policy) {
    return service("ns1/svc1").clusterIps("172.30.1.1").port(80).internalPolicy(policy);
  }

  private static ServiceBuilder terminating(TrafficPolicy external) {
    return service("ns1/svc1")
        .type(ServiceType.LOAD_BALANCER)
        .externalPolicy(external)
        .clusterIps("172.30.1.1")
        .loadBalancerIps("1.2.3.4")
        .healthCheckNodePort(30000)
        .port(80);
  }

  /** One state of the endpoints, and what is left when they are gone. */
  private static void terminating(
      List<DynamicTest> tests,
      String name,
      TrafficPolicy external,
      UnaryOperator<ServiceBuilder> slices,
      String inside,
      String outside) {
    ServiceBuilder with = slices.apply(terminating(external));
    ServiceBuilder without = terminating(external);
    CompiledNode before = node(NODE_IP).add(with);
    CompiledNode after = node(NODE_IP).add(with).add(without);
    String word = inside.equals("REJECT") ? "ECONNREFUSED" : inside;
    tests.add(flow(name + ": pod to clusterIP", before, "172.30.1.1:80", word));
    // Not in upstream's table: who connects on the node is not subject to the external policy.
    tests.add(flow(name + ": pod to LB", before, "1.2.3.4:80", word));
    tests.add(outside(name + ": external to LB", with, outside));
    tests.add(
        flow(
            name + ": pod to clusterIP after endpoints deleted",
            after,
            "172.30.1.1:80",
            "ECONNREFUSED"));
    tests.add(
        flow(name + ": pod to LB after endpoints deleted", after, "1.2.3.4:80", "ECONNREFUSED"));
    tests.add(outside(name + ": external to LB after endpoints deleted", without, "REJECT"));
  }

  @TestFactory
  @DisplayName("TestTerminatingEndpointsTrafficPolicyLocal")
  List<DynamicTest> terminatingEndpointsTrafficPolicyLocal() {
    List<DynamicTest> tests = new ArrayList<>();
    terminating(
        tests,
        "ready endpoints exist",
        TrafficPolicy.LOCAL,
        svc ->
            svc.slice(
                80,
                on(NODE, ready("10.0.1.1")),
                on(NODE, ready("10.0.1.2")),
                on(NODE, draining("10.0.1.3")),
                on(NODE, terminated("10.0.1.4")),
                on("node-1", ready("10.0.1.5"))),
        "10.0.1.1:80, 10.0.1.2:80, 10.0.1.5:80",
        "10.0.1.1:80, 10.0.1.2:80");
    terminating(
        tests,
        "only terminating endpoints exist",
        TrafficPolicy.LOCAL,
        svc ->
            svc.slice(
                80,
                on(NODE, draining("10.0.1.2")),
                on(NODE, draining("10.0.1.3")),
                on(NODE, terminated("10.0.1.4")),
                on("node-1", ready("10.0.1.5"))),
        "10.0.1.5:80",
        "10.0.1.2:80, 10.0.1.3:80");
    terminating(
        tests,
        "terminating endpoints on remote node",
        TrafficPolicy.LOCAL,
        svc -> svc.slice(80, on("node-1", draining("10.0.1.5"))),
        "10.0.1.5:80",
        "DROP");
    terminating(
        tests,
        "no usable endpoints on any node",
        TrafficPolicy.LOCAL,
        svc ->
            svc.slice(80, on(NODE, terminated("10.0.1.5")), on("node-1", terminated("10.0.1.5"))),
        "REJECT",
        "REJECT");
    return tests;
  }

  @TestFactory
  @DisplayName("TestTerminatingEndpointsTrafficPolicyCluster")
  List<DynamicTest> terminatingEndpointsTrafficPolicyCluster() {
    List<DynamicTest> tests = new ArrayList<>();
    terminating(
        tests,
        "ready endpoints exist",
        TrafficPolicy.CLUSTER,
        svc ->
            svc.slice(
                80,
                on(NODE, ready("10.0.1.1")),
                on(NODE, ready("10.0.1.2")),
                on("another-node", draining("10.0.1.3")),
                on("another-node", terminated("10.0.1.4")),
                on("another-node", ready("10.0.1.5"))),
        "10.0.1.1:80, 10.0.1.2:80, 10.0.1.5:80",
        "10.0.1.1:80, 10.0.1.2:80, 10.0.1.5:80");
    terminating(
        tests,
        "only terminating endpoints exist",
        TrafficPolicy.CLUSTER,
        svc ->
            svc.slice(
                80,
                on(NODE, draining("10.0.1.2")),
                on(NODE, draining("10.0.1.3")),
                on("another-node", terminated("10.0.1.4")),
                on("another-node", draining("10.0.1.5"))),
        "10.0.1.2:80, 10.0.1.3:80, 10.0.1.5:80",
        "10.0.1.2:80, 10.0.1.3:80, 10.0.1.5:80");
    terminating(
        tests,
        "terminating endpoints on remote node",
        TrafficPolicy.CLUSTER,
        svc -> svc.slice(80, on("node-1", draining("10.0.1.5"))),
        "10.0.1.5:80",
        "10.0.1.5:80");
    terminating(
        tests,
        "no usable endpoints on any node",
        TrafficPolicy.CLUSTER,
        svc ->
            svc.slice(80, on(NODE, terminated("10.0.1.5")), on("node-1", terminated("10.0.1.5"))),
        "REJECT",
        "REJECT");
    return tests;
  }

  @TestFactory
  @DisplayName("TestInternalExternalMasquerade")
  List<DynamicTest> internalExternalMasquerade() {
    ServiceBuilder svc1 = masqueraded(1, "172.30.0.41", "1.2.3.4");
    ServiceBuilder svc2 =
        masqueraded(2, "172.30.0.42", "5.6.7.8").externalPolicy(TrafficPolicy.LOCAL);
    ServiceBuilder svc3 =
        masqueraded(3, "172.30.0.43", "9.10.11.12").internalPolicy(TrafficPolicy.LOCAL);
    CompiledNode node = node(NODE_IP).add(svc1, svc2, svc3);
    String one = "10.180.0.1:80, 10.180.1.1:80";
    String two = "10.180.0.2:80, 10.180.1.2:80";
    String three = "10.180.0.3:80, 10.180.1.3:80";
    List<DynamicTest> tests = new ArrayList<>();
    for (String who : List.of("pod", "node")) {
      tests.add(flow(who + " to ClusterIP", node, "172.30.0.41:80", one));
      tests.add(flow(who + " to NodePort", node, NODE_IP + ":3001", one));
      tests.add(flow(who + " to LB", node, "1.2.3.4:80", one));
      tests.add(flow(who + " to ClusterIP with eTP:Local", node, "172.30.0.42:80", two));
      tests.add(flow(who + " to NodePort with eTP:Local", node, NODE_IP + ":3002", two));
      tests.add(flow(who + " to LB with eTP:Local", node, "5.6.7.8:80", two));
      tests.add(
          flow(who + " to ClusterIP with iTP:Local", node, "172.30.0.43:80", "10.180.0.3:80"));
      tests.add(flow(who + " to NodePort with iTP:Local", node, NODE_IP + ":3003", three));
      tests.add(flow(who + " to LB with iTP:Local", node, "9.10.11.12:80", three));
    }
    tests.add(outside("external to NodePort", svc1, one));
    tests.add(outside("external to LB", svc1, one));
    tests.add(outside("external to NodePort with eTP:Local", svc2, "10.180.0.2:80"));
    tests.add(outside("external to LB with eTP:Local", svc2, "10.180.0.2:80"));
    tests.add(outside("external to NodePort with iTP:Local", svc3, three));
    tests.add(outside("external to LB with iTP:Local", svc3, three));
    return tests;
  }

  private static ServiceBuilder masqueraded(int number, String clusterIp, String loadBalancer) {
    return service("ns" + number + "/svc" + number)
        .type(ServiceType.LOAD_BALANCER)
        .clusterIps(clusterIp)
        .loadBalancerIps(loadBalancer)
        .healthCheckNodePort(30000 + number)
        .nodePort("p80", Protocol.TCP, 80, 3000 + number)
        .slice(
            "p80",
            80,
            on(NODE, ready("10.180.0." + number)),
            on("remote", ready("10.180.1." + number)));
  }

  @TestFactory
  @DisplayName("TestLoadBalancerIngressRouteTypeProxy")
  List<DynamicTest> loadBalancerIngressRouteTypeProxy() {
    return List.of(
        flow(
            "ipMode Proxy",
            node(NODE_IP).add(ingress("10.20.30.41").proxiedLoadBalancerIps("1.2.3.4")),
            "1.2.3.4:80",
            "untouched"),
        flow(
            "ipMode VIP",
            node(NODE_IP).add(ingress("10.20.30.42").loadBalancerIps("1.2.3.5")),
            "1.2.3.5:80",
            "10.180.0.1:80"),
        flow(
            "ipMode nil",
            node(NODE_IP).add(ingress("10.20.30.43").loadBalancerIps("1.2.3.6")),
            "1.2.3.6:80",
            "10.180.0.1:80"));
  }

  private static ServiceBuilder ingress(String clusterIp) {
    return service("ns1/svc1")
        .type(ServiceType.LOAD_BALANCER)
        .clusterIps(clusterIp)
        .nodePort("p80", Protocol.TCP, 80, 3001)
        .slice("p80", 80, on(NODE, ready("10.180.0.1")));
  }

  /** kube-proxy counts such Services; here it shows in the settings of the row. */
  @Test
  @DisplayName("TestNoEndpointsMetric")
  void noEndpointsMetric() {
    ServiceBuilder remote =
        internal(TrafficPolicy.LOCAL)
            .slice(
                80,
                on("node0", ready("10.0.1.1")),
                on("node1", ready("10.0.1.2")),
                on("node2", ready("10.0.1.3")));
    ServiceBuilder local =
        internal(TrafficPolicy.LOCAL)
            .slice(80, on(NODE, ready("10.0.1.1")), on("node1", ready("10.0.1.2")));
    assertThat(node().add(remote).connect("172.30.1.1:80")).isEqualTo("EHOSTUNREACH");
    assertThat(node().add(local).connect("172.30.1.1:80")).isEqualTo("10.0.1.1:80");
    assertThat(node().add(internal(TrafficPolicy.LOCAL)).connect("172.30.1.1:80"))
        .isEqualTo("ECONNREFUSED");
  }
}
