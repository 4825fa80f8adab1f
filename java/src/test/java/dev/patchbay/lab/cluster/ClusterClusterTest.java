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
import dev.patchbay.lab.Pod;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** The cluster itself, without an agent: what tests rely on when they say "Ready". */
@EndToEnd
class ClusterClusterTest {
  @AutoClose private final Lab lab = Lab.create();
  private final Cluster cluster = Cluster.start(lab);
  private final Node node1 = lab.addNode("node1");
  private final Node node2 = lab.addNode("node2");
  private final Kubelet kubelet1 = cluster.join(node1, "zone-a");
  private final Kubelet kubelet2 = cluster.join(node2, "zone-b");

  private static final String KUBIA =
      """
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: kubia}
      spec:
        replicas: 3
        selector: {matchLabels: {app: kubia}}
        template:
          metadata: {labels: {app: kubia}}
          spec:
            terminationGracePeriodSeconds: 8
            containers:
            - name: kubia
              image: luksa/kubia
              ports: [{name: http, containerPort: 8080}, {name: udp, containerPort: 5000, protocol: UDP}]
              readinessProbe:
                periodSeconds: 1
                timeoutSeconds: 20
                failureThreshold: 1
                httpGet: {path: /ready, port: http}
      ---
      apiVersion: v1
      kind: Service
      metadata: {name: kubia}
      spec:
        ipFamilyPolicy: RequireDualStack
        selector: {app: kubia}
        ports: [{port: 80, targetPort: http}]
      """;

  /** Endpoint name to its conditions, of the IPv4 slices. */
  private Map<String, String> endpoints(String service) {
    Map<String, String> endpoints = new TreeMap<>();
    for (Json slice :
        cluster
            .api()
            .list(
                "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=kubernetes.io/service-name="
                    + service)) {
      if (slice.get("addressType").text().equals("IPv4")) {
        for (Json endpoint : slice.find("endpoints").map(Json::elements).orElse(List.of())) {
          Json conditions = endpoint.get("conditions");
          endpoints.put(
              endpoint.get("targetRef").get("name").text(),
              (conditions.get("ready").text().equals("true") ? "ready " : "")
                  + (conditions.get("serving").text().equals("true") ? "serving " : "")
                  + (conditions.get("terminating").text().equals("true") ? "terminating" : ""));
        }
      }
    }
    return endpoints;
  }

  @Test
  void deploymentIsScheduledProbedAndEnded() {
    cluster.apply(KUBIA);
    cluster.kubectl("rollout", "status", "deployment/kubia", "--timeout=60s").orFail();
    Eventually.soon(
        () -> assertThat(endpoints("kubia")).hasSize(3).containsValue("ready serving "));
    String name = endpoints("kubia").keySet().iterator().next();
    Json pod = cluster.api().get("/api/v1/namespaces/default/pods/" + name);
    Kubelet kubelet = pod.get("spec").get("nodeName").text().equals("node1") ? kubelet1 : kubelet2;
    Pod place = kubelet.pod("default", name);
    assertThat(pod.get("status").get("podIP").text()).isEqualTo(place.ipv4());

    Client client = node1.addPod("client").client();
    assertThat(client.nameAt(place.ipv4(), 8080)).isEqualTo(name);
    assertThat(client.nameAt(place.ipv6(), 8080)).isEqualTo(name);

    kubelet.answer("default", name, "/ready", 503);
    Eventually.soon(() -> assertThat(endpoints("kubia")).containsEntry(name, ""));
    kubelet.answer("default", name, "/ready", 200);
    Eventually.soon(() -> assertThat(endpoints("kubia")).containsEntry(name, "ready serving "));

    cluster.kubectl("delete", "pod", name, "--wait=false").orFail();
    Eventually.soon(
        () -> assertThat(endpoints("kubia")).containsEntry(name, "serving terminating"));
    assertThat(client.nameAt(place.ipv4(), 8080)).isEqualTo(name);
    Eventually.soon(() -> assertThat(endpoints("kubia")).hasSize(3).doesNotContainKey(name));
    assertThat(place.cgroup()).doesNotExist();
  }

  @Test
  void hostNetworkPodsAndCommandsAsProbes() {
    cluster.apply(
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: host, labels: {app: host}}
        spec:
          nodeName: node1
          hostNetwork: true
          terminationGracePeriodSeconds: 30
          containers:
          - name: first
            image: any
            ports: [{containerPort: 8081}]
            readinessProbe: {periodSeconds: 1, timeoutSeconds: 20, exec: {command: [ls, /var/ready]}}
          - name: second
            image: any
            ports: [{name: banner, containerPort: 9001}]
            readinessProbe: {periodSeconds: 1, timeoutSeconds: 20, tcpSocket: {port: banner}}
        """);
    String path = "/api/v1/namespaces/default/pods/host";
    Eventually.soon(() -> assertThat(readiness(path)).containsExactly("false", "true"));
    assertThat(kubelet1.exec("default", "host", "touch", "/var/ready").exit()).isZero();
    assertThat(Path.of("/var/ready")).doesNotExist();
    Eventually.soon(() -> assertThat(readiness(path)).containsExactly("true", "true"));
    assertThat(cluster.api().get(path).get("status").get("podIP").text())
        .isEqualTo(node1.host().ipv4());
    Client client = node2.addPod("client2").client();
    assertThat(client.hits(Client.Kind.TCP, node1.host().ipv4(), 9001, 1)).containsOnlyKeys("host");

    // A process that dies is started again, and the Pod is not ready meanwhile.
    kubelet1.pod("default", "host").killProcesses();
    Eventually.soon(() -> assertThat(readiness(path)).containsExactly("false", "false"));
    Eventually.soon(() -> assertThat(readiness(path)).containsExactly("true", "true"));
    cluster.kubectl("delete", "pod", "host", "--grace-period=1").orFail();
    assertThat(client.tcp(Family.IPV4).connect(node1.host().ipv4(), 9001))
        .isEqualTo(Outcome.REFUSED);
  }

  private List<String> readiness(String pod) {
    return cluster
        .api()
        .get(pod)
        .get("status")
        .find("containerStatuses")
        .map(Json::elements)
        .orElse(List.of())
        .stream()
        .map(status -> status.get("ready").text())
        .toList();
  }

  @Test
  void tokensExpireAndPermissionsCount() {
    cluster
        .api()
        .apply(
            Map.of(
                "apiVersion", "v1", "kind", "ServiceAccount", "metadata", Map.of("name", "short")));
    ApiClient client = cluster.api(cluster.shortToken("default", "short", Duration.ofSeconds(30)));
    assertThat(status(client, "/version")).isEqualTo(200);
    assertThat(status(client, "/api/v1/pods")).isEqualTo(403);
    String expired = cluster.shortToken("default", "short", Duration.ofSeconds(-1));
    assertThat(status(cluster.api(expired), "/version")).isEqualTo(401);
    String requested = cluster.token("default", "short", Duration.ofMinutes(10));
    assertThat(status(cluster.api(requested), "/version")).isEqualTo(200);
    assertThat(cluster.auditLog())
        .anySatisfy(
            event -> {
              assertThat(event.user()).isEqualTo("system:serviceaccount:default:short");
              assertThat(event.resource()).isEqualTo("pods");
              assertThat(event.isForbidden()).isTrue();
            });
  }

  private static int status(ApiClient client, String path) {
    return client.send("GET", path, "", null).status();
  }
}
