// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.Client;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Json;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Outcome;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** That kube-proxy works in a lab, so that what it does can be compared with. */
@EndToEnd
class KubeProxyClusterTest {
  @AutoClose private final Lab lab = Lab.create();
  private final Cluster cluster = Cluster.start(lab);
  private final Node other = lab.addNode("other");

  @BeforeAll
  void join() {
    cluster.join(other, "");
  }

  @ParameterizedTest
  @CsvSource({"NFTABLES, 192.0.2.71", "IPTABLES, 192.0.2.72"})
  void connectionsReachEachEndpoint(ProxyMode mode, String external) {
    String name = mode.option();
    Node own = lab.addNode(name);
    own.routePods();
    cluster.join(own, "");
    cluster.apply(service(name, external));
    cluster.apply(pod("near-" + name, name, own));
    cluster.apply(pod("far-" + name, name, other));
    KubeProxy.start(cluster, own, mode);
    Json spec = cluster.api().get("/api/v1/namespaces/default/services/" + name).get("spec");
    List<Json> addresses = spec.get("clusterIPs").elements();
    int nodePort = (int) spec.get("ports").elements().getFirst().get("nodePort").number();
    String[] pods = {"near-" + name, "far-" + name};
    for (Client client : List.of(own.addPod("client-" + name).client(), own.host().client())) {
      for (Json address : addresses) {
        reaches(client, Client.Kind.TCP, address.text(), 80, pods);
        reaches(client, Client.Kind.UDP, address.text(), 53, pods);
      }
      for (Family family : Family.values()) {
        reaches(client, Client.Kind.TCP, own.host().address(family), nodePort, pods);
      }
      reaches(client, Client.Kind.TCP, external, 80, pods);
    }
    cluster.kubectl("delete", "pod", pods[0], pods[1]).orFail();
    Client client = own.addPod("late-" + name).client();
    for (Json address : addresses) {
      Eventually.soon(
          () ->
              assertThat(client.hit(Client.Kind.TCP, address.text(), 80))
                  .isEqualTo(Outcome.REFUSED));
    }
  }

  private static void reaches(
      Client client, Client.Kind kind, String address, int port, String... names) {
    Eventually.soon(
        () ->
            assertThat(client.hits(kind, address, port, 20))
                .as("%s %s:%s from %s", kind, address, port, client.pod())
                .containsOnlyKeys(names));
  }

  private static String service(String name, String external) {
    return """
        apiVersion: v1
        kind: Service
        metadata: {name: %1$s}
        spec:
          type: NodePort
          ipFamilyPolicy: RequireDualStack
          externalIPs: [%2$s]
          selector: {app: %1$s}
          ports:
          - {name: banner, port: 80, targetPort: banner}
          - {name: udp, port: 53, targetPort: udp, protocol: UDP}
        """
        .formatted(name, external);
  }

  private static String pod(String name, String app, Node node) {
    return """
        apiVersion: v1
        kind: Pod
        metadata: {name: %s, labels: {app: %s}}
        spec:
          nodeName: %s
          terminationGracePeriodSeconds: 0
          containers:
          - name: web
            image: web
            ports:
            - {name: banner, containerPort: 9000}
            - {name: udp, containerPort: 5000, protocol: UDP}
        """
        .formatted(name, app, node);
  }
}
