// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.Client;
import dev.patchbay.lab.Client.Kind;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Json;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Outcome;
import dev.patchbay.lab.Pod;
import dev.patchbay.lab.cluster.AgentAccess;
import dev.patchbay.lab.cluster.Cluster;
import dev.patchbay.lab.cluster.Kubelet;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * A cluster with two nodes in two zones and an agent on each, which may do what the manifests for
 * users allow; and clients: a Pod and the node itself on each node, and one that is older than the
 * agents.
 */
final class TwoNodes implements AutoCloseable {
  /** Ports of the Services of {@link #service}. */
  static final int HTTP = 80;

  static final int BANNER = 90;
  static final int UDP = 50;

  /**
   * Exchanges enough to meet each of up to five backends, but for one time in a hundred thousand.
   */
  private static final int ENOUGH = 60;

  final Lab lab = Lab.create();
  final Cluster cluster = Cluster.start(lab);
  final Node node1 = lab.addNode("node1");
  final Node node2 = lab.addNode("node2");
  final Kubelet kubelet1 = cluster.join(node1, "zone-a");
  final Kubelet kubelet2 = cluster.join(node2, "zone-b");
  final Client older = node1.addPod("older").client();
  final Client pod1;
  final Client pod2;
  final Client host1;
  final Client host2;

  TwoNodes() {
    Path kubeconfig = AgentAccess.kubeconfig(cluster);
    for (Node node : List.of(node1, node2)) {
      node.useKubeconfig(kubeconfig);
      node.launchAgent();
    }
    pod1 = node1.addPod("pod1").client();
    pod2 = node2.addPod("pod2").client();
    host1 = node1.host().client();
    host2 = node2.host().client();
    node1.awaitAgent();
    node2.awaitAgent();
  }

  /** All clients. */
  List<Client> clients() {
    return List.of(pod1, pod2, host1, host2, older);
  }

  /** A Service in the cluster. */
  Json get(String service) {
    return cluster.api().get("/api/v1/namespaces/default/services/" + service);
  }

  /** The cluster IP of a Service in a family. */
  String clusterIp(String service, Family family) {
    return get(service).get("spec").get("clusterIPs").elements().stream()
        .map(Json::text)
        .filter(address -> address.contains(":") == (family == Family.IPV6))
        .findFirst()
        .orElseThrow(() -> new AssertionError(service + " has no address of " + family));
  }

  /** The IPv4 cluster IP of a Service. */
  String clusterIp(String service) {
    return clusterIp(service, Family.IPV4);
  }

  /** The number of a node port. */
  int nodePort(String service, String port) {
    return get(service).get("spec").get("ports").elements().stream()
        .filter(each -> each.get("name").text().equals(port))
        .map(each -> (int) each.get("nodePort").number())
        .findFirst()
        .orElseThrow(() -> new AssertionError(service + " has no port " + port));
  }

  /** Where a Pod runs. */
  Pod place(String pod) {
    String node =
        cluster
            .api()
            .get("/api/v1/namespaces/default/pods/" + pod)
            .get("spec")
            .get("nodeName")
            .text();
    return kubelet(node).pod("default", pod);
  }

  Kubelet kubelet(String node) {
    return node.equals(node1.name()) ? kubelet1 : kubelet2;
  }

  /** The names of the Pods with a label that are not being deleted. */
  String[] pods(String label) {
    return cluster.api().list("/api/v1/namespaces/default/pods?labelSelector=" + label).stream()
        .map(pod -> pod.get("metadata"))
        .filter(metadata -> metadata.find("deletionTimestamp").isEmpty())
        .map(metadata -> metadata.get("name").text())
        .toArray(String[]::new);
  }

  /** Exactly these servers, or this error, are met before long. */
  static void meets(Client client, Kind kind, String address, int port, String... outcomes) {
    Eventually.soon(
        () -> {
          // One first: what is not there yet may take long to fail.
          assertThat(client.hit(kind, address, port))
              .as("%s from %s to %s", kind, client.pod(), Family.hostPort(address, port))
              .isIn((Object[]) outcomes);
          assertThat(client.hits(kind, address, port, ENOUGH))
              .as("%s from %s to %s", kind, client.pod(), Family.hostPort(address, port))
              .containsOnlyKeys(outcomes);
        });
  }

  /** Exactly these servers are met by HTTP before long, each written {@code NAME PORT}. */
  static void connects(Client client, String address, int port, String... servers) {
    Eventually.soon(
        () -> {
          Set<String> met = new TreeSet<>();
          for (int i = 0; i < ENOUGH; i++) {
            Outcome outcome = client.who(address, port);
            met.add(
                outcome.isOk()
                    ? outcome.value().get("name").text() + " " + outcome.value().get("port").text()
                    : outcome.name());
          }
          assertThat(met).containsExactlyInAnyOrder(servers);
        });
  }

  /** The same of the banner port by TCP. */
  static void meets(Client client, String address, String... outcomes) {
    meets(client, Kind.TCP, address, BANNER, outcomes);
  }

  /** The Events about a Service, as {@code REASON NOTE}. */
  List<String> events(String service) {
    return cluster.api().list("/apis/events.k8s.io/v1/namespaces/default/events").stream()
        .filter(event -> event.get("regarding").get("kind").text().equals("Service"))
        .filter(event -> event.get("regarding").get("name").text().equals(service))
        .map(event -> event.get("reason").text() + " " + event.get("note").text())
        .toList();
  }

  /** Waits until an Event on a Service and a line in the log of each agent say something. */
  void tells(String service, String... words) {
    Eventually.soon(
        () -> assertThat(events(service)).anySatisfy(event -> assertThat(event).contains(words)));
    for (Node node : List.of(node1, node2)) {
      Eventually.soon(
          () ->
              assertThat(node.agent().err().lines())
                  .as("log of %s", node)
                  .anySatisfy(
                      line -> assertThat(line).contains("default/" + service).contains(words)));
    }
  }

  /** Writes what a controller would write into the status of a Service. */
  void loadBalancer(String service, Map<String, String> ingress) {
    cluster
        .api()
        .merge(
            "/api/v1/namespaces/default/services/" + service + "/status",
            Map.of("status", Map.of("loadBalancer", Map.of("ingress", List.of(ingress)))));
  }

  /** A Service with the ports that {@link #pod} serves, in both families. */
  static String service(String name, String... specLines) {
    StringBuilder more = new StringBuilder();
    for (String line : specLines) {
      more.append("  ").append(line).append('\n');
    }
    return """
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: %1$s}
        spec:
          ipFamilyPolicy: RequireDualStack
          selector: {app: %1$s}
          ports:
          - {name: http, port: 80, targetPort: http}
          - {name: banner, port: 90, targetPort: banner}
          - {name: udp, port: 50, targetPort: udp, protocol: UDP}
        %2$s"""
        .formatted(name, more);
  }

  /**
   * A Pod on a node that is ready as soon as it answers at {@code /ready}. A machine that stands
   * still for a second does not make it unready.
   */
  static String pod(String name, String app, Node node, int graceSeconds) {
    return """
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: %s, labels: {app: %s}}
        spec:
          nodeName: %s
          terminationGracePeriodSeconds: %d
          containers:
          - name: main
            image: kubia
            ports:
            - {name: http, containerPort: 8080}
            - {name: banner, containerPort: 9000}
            - {name: udp, containerPort: 5000, protocol: UDP}
            readinessProbe: {periodSeconds: 1, timeoutSeconds: 20, failureThreshold: 1, httpGet: {path: /ready, port: http}}
        """
        .formatted(name, app, node, graceSeconds);
  }

  /** An EndpointSlice written by hand, of ready endpoints. */
  static String slice(String name, String service, String ports, String... addresses) {
    StringBuilder endpoints = new StringBuilder();
    for (String address : addresses) {
      endpoints.append("- addresses: [\"").append(address).append("\"]\n");
    }
    return """
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: %s, labels: {kubernetes.io/service-name: %s}}
        addressType: %s
        ports: [%s]
        endpoints:%s
        %s"""
        .formatted(
            name,
            service,
            addresses.length > 0 && addresses[0].contains(":") ? "IPv6" : "IPv4",
            ports,
            addresses.length == 0 ? " []" : "",
            endpoints);
  }

  @Override
  public void close() {
    lab.close();
  }
}
