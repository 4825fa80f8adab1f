// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.Client;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Outcome;
import dev.patchbay.lab.Result;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** Which of two nodes' Pods are chosen: traffic policies, health check node ports, topology. */
@EndToEnd
class PoliciesClusterTest {
  /** What a client gets from a local policy whose endpoints are all elsewhere. */
  private static final String ELSEWHERE = "EHOSTUNREACH";

  @AutoClose private final TwoNodes two = new TwoNodes();

  private void onePodEach(String app) {
    two.cluster.apply(
        TwoNodes.pod(app + "-1", app, two.node1, 4) + TwoNodes.pod(app + "-2", app, two.node2, 4));
  }

  @Test
  void aLocalInternalPolicyKeepsToTheNode() {
    onePodEach("inner");
    two.cluster.apply(TwoNodes.service("inner", "internalTrafficPolicy: Local"));
    for (Family family : Family.values()) {
      String address = two.clusterIp("inner", family);
      for (Client client : List.of(two.pod1, two.host1, two.older)) {
        TwoNodes.meets(client, address, "inner-1");
      }
      for (Client client : List.of(two.pod2, two.host2)) {
        TwoNodes.meets(client, address, "inner-2");
        TwoNodes.meets(client, Client.Kind.UDP, address, TwoNodes.UDP, "inner-2");
      }
    }
    String address = two.clusterIp("inner");
    two.kubelet2.answer("default", "inner-2", "/ready", 503);
    for (Client client : List.of(two.pod2, two.host2)) {
      TwoNodes.meets(client, address, ELSEWHERE);
      TwoNodes.meets(client, Client.Kind.UDP, address, TwoNodes.UDP, ELSEWHERE);
    }
    TwoNodes.meets(two.pod1, address, "inner-1");
    two.kubelet1.answer("default", "inner-1", "/ready", 503);
    TwoNodes.meets(two.pod1, address, Outcome.REFUSED);
    TwoNodes.meets(two.pod2, address, Outcome.REFUSED);
    two.kubelet2.answer("default", "inner-2", "/ready", 200);
    TwoNodes.meets(two.pod2, address, "inner-2");
    TwoNodes.meets(two.pod1, address, ELSEWHERE);
  }

  @Test
  void aLocalExternalPolicyIsNoConcernOfClientsInside() {
    onePodEach("outer");
    two.cluster.apply(
        TwoNodes.service("outer", "type: LoadBalancer", "externalTrafficPolicy: Local"));
    two.loadBalancer("outer", Map.of("ip", "203.0.113.20"));
    int nodePort = two.nodePort("outer", "banner");
    two.kubelet2.answer("default", "outer-2", "/ready", 503);
    String[] one = {"outer-1"};
    String[] both = {"outer-1", "outer-2"};
    for (String[] servers : List.of(one, both)) {
      for (Client client : List.of(two.pod2, two.host2, two.host1)) {
        TwoNodes.meets(client, two.clusterIp("outer"), servers);
        TwoNodes.meets(client, "203.0.113.20", servers);
        for (Node node : List.of(two.node1, two.node2)) {
          TwoNodes.meets(client, Client.Kind.TCP, node.host().ipv4(), nodePort, servers);
        }
      }
      two.kubelet2.answer("default", "outer-2", "/ready", 200);
    }
  }

  @Test
  void loadBalancersAreToldWhichNodesHaveEndpoints() {
    onePodEach("checked");
    two.cluster.apply(
        TwoNodes.service("checked", "type: LoadBalancer", "externalTrafficPolicy: Local"));
    int port = (int) two.get("checked").get("spec").get("healthCheckNodePort").number();
    health(two.node1, port, 200, 1);
    health(two.node2, port, 200, 1);
    two.cluster.apply(TwoNodes.pod("checked-3", "checked", two.node1, 0));
    health(two.node1, port, 200, 2);
    // One that terminates still serves where nobody else does, but attracts nobody.
    two.cluster.kubectl("delete", "pod", "checked-2", "--wait=false").orFail();
    health(two.node2, port, 503, 0);
    two.kubelet1.answer("default", "checked-1", "/ready", 503);
    health(two.node1, port, 200, 1);
    two.cluster.kubectl("delete", "pod", "checked-3").orFail();
    health(two.node1, port, 503, 0);
    two.cluster.apply(TwoNodes.service("checked", "type: ClusterIP"));
    Eventually.soon(
        () -> assertThat(ask(two.node1, two.node1.host().ipv4(), port).exit()).isEqualTo(7));
  }

  /** What a load balancer, which is another machine, is told by a node. */
  private void health(Node node, int port, int status, int weight) {
    for (Family family : Family.values()) {
      Eventually.soon(
          () ->
              assertThat(ask(two.node1, node.host().address(family), port).out())
                  .startsWith("HTTP/1.1 " + status + " ")
                  .containsIgnoringCase("\nX-Load-Balancing-Endpoint-Weight: " + weight + "\r\n")
                  .contains(
                      "\"namespace\": \"default\"",
                      "\"name\": \"checked\"",
                      "\"localEndpoints\": " + weight,
                      "\"serviceProxyHealthy\": true"));
    }
  }

  private static Result ask(Node from, String address, int port) {
    return from.host()
        .exec(
            "curl",
            "--silent",
            "--include",
            "--noproxy",
            "*",
            "--max-time",
            "5",
            "http://" + Family.hostPort(address, port) + "/healthz");
  }

  @Test
  void trafficStaysInTheZoneOrOnTheNodeOnRequest() {
    onePodEach("near");
    for (String wish : List.of("PreferSameZone", "PreferClose", "PreferSameNode")) {
      two.cluster.apply(TwoNodes.service("near", "trafficDistribution: " + wish));
      // Whether this is the new wish or the last one cannot be seen: the endpoints are the same.
      String address = two.clusterIp("near");
      TwoNodes.meets(two.pod1, address, "near-1");
      TwoNodes.meets(two.host2, address, "near-2");
      two.cluster.apply(TwoNodes.service("near"));
      TwoNodes.meets(two.pod1, address, "near-1", "near-2");
    }
    two.cluster.apply(TwoNodes.service("near", "trafficDistribution: PreferSameNode"));
    String address = two.clusterIp("near");
    TwoNodes.meets(two.pod1, address, "near-1");
    // A hint for a node without endpoints lets everything in.
    two.kubelet2.answer("default", "near-2", "/ready", 503);
    TwoNodes.meets(two.pod2, address, "near-1");
  }

  @Test
  void theZoneOfTheNodeMayChange() {
    onePodEach("zoned");
    two.cluster.apply(
        TwoNodes.service("zoned").replace("  selector: {app: zoned}\n", "")
            + hinted("zoned-a", two.place("zoned-1").ipv4(), "zone-a")
            + hinted("zoned-b", two.place("zoned-2").ipv4(), "zone-b"));
    String address = two.clusterIp("zoned");
    TwoNodes.meets(two.pod1, address, "zoned-1");
    TwoNodes.meets(two.pod2, address, "zoned-2");
    try {
      label("zone-a");
      TwoNodes.meets(two.pod2, address, "zoned-1");
      label("zone-c");
      TwoNodes.meets(two.pod2, address, "zoned-1", "zoned-2");
    } finally {
      label("zone-b");
    }
    TwoNodes.meets(two.pod2, address, "zoned-2");
  }

  private void label(String zone) {
    two.cluster
        .kubectl("label", "--overwrite", "node", "node2", "topology.kubernetes.io/zone=" + zone)
        .orFail();
  }

  private static String hinted(String name, String address, String zone) {
    return TwoNodes.slice(name, "zoned", "{name: banner, port: 9000}", address)
        .replace("\"]\n", "\"]\n  hints: {forZones: [{name: " + zone + "}]}\n");
  }
}
