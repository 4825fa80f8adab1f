// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.Client;
import dev.patchbay.lab.Client.Kind;
import dev.patchbay.lab.Dns;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Json;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Outcome;
import dev.patchbay.lab.Pod;
import dev.patchbay.lab.Result;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** What the tutorials do: unchanged manifests, kubectl, curl. */
@EndToEnd
class TutorialClusterTest {
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
            terminationGracePeriodSeconds: 1
            containers:
            - name: kubia
              image: luksa/kubia
              ports: [{containerPort: 8080}]
      ---
      apiVersion: v1
      kind: Service
      metadata: {name: kubia}
      spec:
        selector: {app: kubia}
        ports: [{port: 80, targetPort: 8080}]
      """;

  @AutoClose private final TwoNodes two = new TwoNodes();

  @Test
  void kubiaAnswersFromEverywhere() {
    two.cluster.apply(KUBIA);
    two.cluster.kubectl("rollout", "status", "deployment/kubia", "--timeout=60s").orFail();
    String[] names = two.pods("app=kubia");
    assertThat(names).hasSize(3);
    String address = two.clusterIp("kubia");
    for (Client client : two.clients()) {
      Eventually.soon(
          () ->
              assertThat(client.pod().curl("http://" + address).orFail().out())
                  .startsWith("You've hit kubia-"));
      int[] times = new int[3];
      for (int i = 0; i < 150; i++) {
        times[List.of(names).indexOf(client.nameAt(address, 80))]++;
      }
      // 50 each; below 20 comes once in fifty million times
      assertThat(Arrays.stream(times).min().orElseThrow())
          .as("from %s: %s", client.pod(), Arrays.toString(times))
          .isGreaterThan(19);
    }
    assertThat(two.node1.services().backends(address, 80, "tcp"))
        .isEqualTo(two.node2.services().backends(address, 80, "tcp"))
        .hasSize(3)
        .contains(two.place(names[0]).ipv4() + ":8080");
  }

  @Test
  void clusterIpsAreAssignedHonouredRefusedOrAbsent() {
    two.cluster.apply(TwoNodes.pod("addressed-1", "addressed", two.node1, 0));
    two.cluster.apply(TwoNodes.service("addressed"));
    String assigned = two.clusterIp("addressed");
    TwoNodes.meets(two.pod2, assigned, "addressed-1");
    two.cluster.apply(TwoNodes.service("addressed", "sessionAffinity: ClientIP"));
    assertThat(two.clusterIp("addressed")).isEqualTo(assigned);

    two.cluster.apply(plain("chosen", "clusterIP: 10.96.0.77", "addressed"));
    TwoNodes.meets(two.host1, "10.96.0.77", "addressed-1");

    assertThat(refusal(plain("second", "clusterIP: 10.96.0.77", "addressed")))
        .contains("already allocated");
    assertThat(refusal(plain("outside", "clusterIP: 192.0.2.1", "addressed")))
        .contains("failed to allocate IP 192.0.2.1");

    two.cluster.apply(plain("headless", "clusterIP: None", "addressed"));
    two.cluster.apply(plain("marker", "clusterIP: 10.96.0.78", "addressed"));
    TwoNodes.meets(two.pod1, "10.96.0.78", "addressed-1");
    assertThat(two.node1.services().of("default/headless")).isEmpty();
  }

  private static String plain(String name, String line, String app) {
    return """
        apiVersion: v1
        kind: Service
        metadata: {name: %s}
        spec:
          %s
          selector: {app: %s}
          ports: [{port: 90, targetPort: 9000}]
        """
        .formatted(name, line, app);
  }

  private String refusal(String yaml) {
    Path file = two.lab.newDirectory("refused").resolve("service.yaml");
    try {
      Files.writeString(file, yaml);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Result result = two.cluster.kubectl("apply", "-f", file.toString());
    assertThat(result.exit()).isNotZero();
    return result.err();
  }

  @Test
  void aClientStaysWithItsPodUntilThatDiesOrTheTimeIsOver() {
    for (int i = 1; i <= 3; i++) {
      two.cluster.apply(TwoNodes.pod("sticky-" + i, "sticky", i == 1 ? two.node1 : two.node2, 0));
    }
    two.cluster.apply(TwoNodes.service("sticky", "sessionAffinity: ClientIP"));
    two.cluster.kubectl("wait", "--for=condition=Ready", "pod", "--selector=app=sticky").orFail();
    String address = two.clusterIp("sticky");
    Eventually.soon(
        () ->
            assertThat(two.node1.services().backends(address, TwoNodes.BANNER, "tcp")).hasSize(3));
    String first = two.pod1.hit(Kind.TCP, address, TwoNodes.BANNER);
    assertThat(two.pod1.hits(Kind.TCP, address, TwoNodes.BANNER, 50)).containsOnlyKeys(first);
    two.cluster.kubectl("delete", "pod", first, "--grace-period=0", "--force").orFail();
    Eventually.soon(
        () ->
            assertThat(two.pod1.hit(Kind.TCP, address, TwoNodes.BANNER))
                .startsWith("sticky-")
                .isNotEqualTo(first));
    String second = two.pod1.hit(Kind.TCP, address, TwoNodes.BANNER);
    assertThat(two.pod1.hits(Kind.TCP, address, TwoNodes.BANNER, 50)).containsOnlyKeys(second);

    two.cluster.apply(
        TwoNodes.service(
            "sticky",
            "sessionAffinity: ClientIP",
            "sessionAffinityConfig: {clientIP: {timeoutSeconds: 1}}"));
    Eventually.within(
        Duration.ofSeconds(40),
        () -> {
          Eventually.pause(1_200_000_000);
          assertThat(two.pod1.hit(Kind.TCP, address, TwoNodes.BANNER)).isNotEqualTo(second);
        });
  }

  @Test
  void namedPortsLeadToTheNumberThatEachPodGivesThem() {
    two.cluster.apply(twoPorts("mixed-a", two.node1.name(), 8080, 8443));
    two.cluster.apply(twoPorts("mixed-b", two.node2.name(), 18080, 18443));
    two.cluster.apply(
        """
        apiVersion: v1
        kind: Service
        metadata: {name: mixed}
        spec:
          selector: {app: mixed}
          ports:
          - {name: http, port: 80, targetPort: http}
          - {name: https, port: 443, targetPort: https}
        """);
    String address = two.clusterIp("mixed");
    for (Client client : List.of(two.pod1, two.host2)) {
      TwoNodes.connects(client, address, 80, "mixed-a 8080", "mixed-b 18080");
      TwoNodes.connects(client, address, 443, "mixed-a 8443", "mixed-b 18443");
    }
  }

  private static String twoPorts(String name, String node, int http, int https) {
    return """
        apiVersion: v1
        kind: Pod
        metadata: {name: %s, labels: {app: mixed}}
        spec:
          nodeName: %s
          containers:
          - name: main
            image: kubia
            ports: [{name: http, containerPort: %d}, {name: https, containerPort: %d}]
        """
        .formatted(name, node, http, https);
  }

  @Test
  void dnsServersAnswerByUdpAndTcpOnOnePort() {
    Pod a = two.node1.addPod("dns-a");
    Pod b = two.node2.addPod("dns-b");
    for (Pod pod : List.of(a, b)) {
      Dns.serve(
          pod,
          "--host-record=kubia.test,192.0.2.77,2001:db8::77",
          "--txt-record=who.test," + pod.name());
    }
    two.cluster.apply(
        """
        apiVersion: v1
        kind: Service
        metadata: {name: kube-dns}
        spec:
          clusterIP: 10.96.0.10
          ports:
          - {name: dns, port: 53, protocol: UDP}
          - {name: dns-tcp, port: 53, protocol: TCP}
        """
            + TwoNodes.slice(
                "kube-dns-1",
                "kube-dns",
                "{name: dns, port: 53, protocol: UDP}, {name: dns-tcp, port: 53, protocol: TCP}",
                a.ipv4(),
                b.ipv4()));
    for (Client client : two.clients()) {
      for (String transport : List.of("+notcp", "+tcp")) {
        Eventually.soon(
            () -> {
              StringBuilder met = new StringBuilder();
              for (int i = 0; i < 8; i++) {
                Result answer =
                    Dns.dig(client.pod(), "10.96.0.10", transport, "+tries=1", "who.test", "TXT");
                assertThat(answer.all()).doesNotContain("unexpected source");
                met.append(answer.out());
              }
              assertThat(met).contains("\"dns-a\"", "\"dns-b\"");
            });
      }
    }
    assertThat(two.pod2.pod().exec("nslookup", "kubia.test", "10.96.0.10").orFail().out())
        .contains("10.96.0.10#53", "192.0.2.77");
    for (String options : List.of("timeout:15", "use-vc timeout:15")) {
      assertThat(
              Dns.withResolver(
                      two.pod1.pod(), "10.96.0.10", options, "getent", "ahosts", "kubia.test")
                  .orFail()
                  .out())
          .contains("192.0.2.77");
    }
  }

  @Test
  void endpointsByHandLeadOutOfTheCluster() {
    Pod outside = two.node1.addPod("outside");
    outside.addOutsideAddress(30);
    outside.serve("--http", "9000,9001");
    two.cluster.apply(
        plain("external", "clusterIP: 10.96.0.90", "").replace("  selector: {app: }\n", ""));
    TwoNodes.meets(two.pod1, "10.96.0.90", Outcome.REFUSED);
    String slice = TwoNodes.slice("by-hand", "external", "{name: '', port: 9001}", "192.0.2.30");
    two.cluster.apply(slice);
    TwoNodes.connects(two.pod2, "10.96.0.90", 90, "outside 9001");
    two.cluster.delete(slice);
    TwoNodes.meets(two.pod1, "10.96.0.90", Outcome.REFUSED);
    two.cluster.apply(
        """
        apiVersion: v1
        kind: Endpoints
        metadata: {name: external}
        subsets:
        - addresses: [{ip: 192.0.2.30}]
          ports: [{port: 9000}]
        """);
    TwoNodes.connects(two.host2, "10.96.0.90", 90, "outside 9000");
  }

  @Test
  void noConnectionFailsWhileADeploymentIsScaled() {
    two.cluster.apply(
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: scaled}
        spec:
          replicas: 3
          selector: {matchLabels: {app: scaled}}
          template:
            metadata: {labels: {app: scaled}}
            spec:
              terminationGracePeriodSeconds: 2
              containers:
              - name: main
                image: kubia
                ports: [{name: banner, containerPort: 9000}]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: scaled}
        spec:
          selector: {app: scaled}
          ports: [{port: 90, targetPort: banner}]
        """);
    two.cluster.kubectl("rollout", "status", "deployment/scaled", "--timeout=60s").orFail();
    String address = two.clusterIp("scaled");
    String[] three = two.pods("app=scaled");
    TwoNodes.meets(two.pod1, address, three);
    TwoNodes.meets(two.pod2, address, three);
    long refusedBefore = refusedForWantOfEndpoints(two.node2);
    two.pod2.startLoad("scaling", Kind.TCP, address, TwoNodes.BANNER, Duration.ofMillis(2));
    scale(2);
    TwoNodes.meets(two.pod1, address, two.pods("app=scaled"));
    scale(0);
    TwoNodes.meets(two.pod1, address, Outcome.REFUSED);
    Eventually.soon(
        () -> assertThat(two.node2.services().backends(address, TwoNodes.BANNER, "tcp")).isEmpty());
    Client.LoadReport down = two.pod2.stopLoad("scaling");
    List<String> threeOrRefused = new ArrayList<>(List.of(three));
    threeOrRefused.add(Outcome.REFUSED);
    // That all three were met is known already; the load itself may have missed one by chance.
    assertThat(down.outcomes().keySet())
        .contains(Outcome.REFUSED)
        .hasSizeGreaterThan(1)
        .isSubsetOf(threeOrRefused);
    // Nobody but the Service refused, and it did only when it had no endpoint left.
    assertThat(refusedForWantOfEndpoints(two.node2) - refusedBefore)
        .isEqualTo(down.counts().get(Outcome.REFUSED));
    inOrder(down.outcomes(), List.of(three), List.of(Outcome.REFUSED));
    two.pod2.startLoad("return", Kind.TCP, address, TwoNodes.BANNER, Duration.ofMillis(2));
    scale(5);
    two.cluster.kubectl("rollout", "status", "deployment/scaled", "--timeout=60s").orFail();
    String[] five = two.pods("app=scaled");
    TwoNodes.meets(two.pod1, address, five);
    TwoNodes.meets(two.pod2, address, five);
    Map<String, List<Client.Interval>> outcomes = two.pod2.stopLoad("return").outcomes();
    // That all five were met is known already; the load itself may have missed one by chance.
    List<String> servedOrRefused = new ArrayList<>(List.of(five));
    servedOrRefused.add(Outcome.REFUSED);
    assertThat(outcomes.keySet())
        .contains(Outcome.REFUSED)
        .hasSizeGreaterThan(1)
        .isSubsetOf(servedOrRefused);
    inOrder(outcomes, List.of(Outcome.REFUSED), List.of(five));
  }

  /** None of the outcomes came before the last of the earlier ones. */
  private static void inOrder(
      Map<String, List<Client.Interval>> outcomes, List<String> earlier, List<String> later) {
    long last =
        earlier.stream()
            .flatMap(name -> outcomes.getOrDefault(name, List.of()).stream())
            .mapToLong(Client.Interval::start)
            .max()
            .orElseThrow();
    for (String name : later) {
      for (Client.Interval time : outcomes.getOrDefault(name, List.of())) {
        // Outcomes are gathered in intervals of 10 ms.
        assertThat(time.start()).as(name).isGreaterThan(last - 20_000_000);
      }
    }
  }

  /** How many connections a node has refused because a Service had no endpoint. */
  private static long refusedForWantOfEndpoints(Node node) {
    return Json.parse(node.read("status", "-o", "json").out())
        .get("counters")
        .get("refusedNoEndpoint")
        .number();
  }

  private void scale(int replicas) {
    two.cluster.kubectl("scale", "deployment/scaled", "--replicas=" + replicas).orFail();
    Eventually.soon(() -> assertThat(two.pods("app=scaled")).hasSize(replicas));
  }

  @Test
  void podsThatAreNotReadyOrTerminateAreLeftOutWhileOthersServe() {
    two.cluster.apply(TwoNodes.pod("ends-1", "ends", two.node1, 12));
    two.cluster.apply(TwoNodes.pod("ends-2", "ends", two.node2, 12));
    two.cluster.apply(TwoNodes.service("ends"));
    String address = two.clusterIp("ends", Family.IPV6);
    TwoNodes.meets(two.pod1, address, "ends-1", "ends-2");
    two.kubelet2.answer("default", "ends-2", "/ready", 503);
    TwoNodes.meets(two.pod1, address, "ends-1");
    two.kubelet1.answer("default", "ends-1", "/ready", 503);
    TwoNodes.meets(two.pod1, address, Outcome.REFUSED);
    two.kubelet1.answer("default", "ends-1", "/ready", 200);
    two.kubelet2.answer("default", "ends-2", "/ready", 200);
    TwoNodes.meets(two.pod1, address, "ends-1", "ends-2");
    two.cluster.kubectl("delete", "pod", "ends-1", "--wait=false").orFail();
    TwoNodes.meets(two.pod1, address, "ends-2");
    two.kubelet2.answer("default", "ends-2", "/ready", 503);
    TwoNodes.meets(two.pod1, address, "ends-1");
    TwoNodes.meets(two.pod1, address, Outcome.REFUSED);
  }

  @Test
  void anExternalNameHasNoFrontendAndAClusterIpHasOneAtOnce() {
    two.cluster.apply(TwoNodes.pod("named-1", "named", two.node2, 0));
    String name =
        """
        apiVersion: v1
        kind: Service
        metadata: {name: named}
        spec: {type: ExternalName, externalName: example.test}
        """;
    String address = "10.96.0.95";
    String numbered = plain("named", "type: ClusterIP\n  clusterIP: " + address, "named");
    for (int i = 0; i < 2; i++) {
      two.cluster.apply(name);
      TwoNodes.meets(two.host1, address, Outcome.NOT_TRANSLATED);
      assertThat(two.node1.services().of("default/named")).isEmpty();
      two.cluster.apply(numbered);
      TwoNodes.meets(two.host1, address, "named-1");
    }
  }

  @Test
  void podsOfTheNodesNamespaceServeAndAsk() {
    for (String node : List.of("node1", "node2")) {
      two.cluster.apply(
          """
          apiVersion: v1
          kind: Pod
          metadata: {name: daemon-%1$s, labels: {app: daemon}}
          spec:
            nodeName: %1$s
            hostNetwork: true
            containers:
            - name: main
              image: kubia
              ports:
              - {name: http, containerPort: 8080}
              - {name: banner, containerPort: 9000}
              - {name: udp, containerPort: 5000, protocol: UDP}
          """
              .formatted(node));
    }
    two.cluster.apply(TwoNodes.service("daemon"));
    for (Family family : Family.values()) {
      String address = two.clusterIp("daemon", family);
      for (Client client : two.clients()) {
        TwoNodes.meets(client, address, "daemon-node1", "daemon-node2");
      }
      try (Client inside = two.place("daemon-node1").client()) {
        TwoNodes.meets(inside, address, "daemon-node1", "daemon-node2");
        TwoNodes.meets(
            inside, Kind.UDP_UNCONNECTED, address, TwoNodes.UDP, "daemon-node1", "daemon-node2");
      }
    }
  }
}
