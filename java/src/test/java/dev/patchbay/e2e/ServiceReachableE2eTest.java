// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.Client;
import dev.patchbay.lab.Client.Kind;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Manifest;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Outcome;
import dev.patchbay.lab.Pod;
import dev.patchbay.lab.Programmed;
import dev.patchbay.lab.Sock;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The tutorial's first Service, from everywhere: Pods, the node, old processes, host network. */
@EndToEnd
class ServiceReachableE2eTest {
  private static final String KUBIA =
      """
      apiVersion: v1
      kind: Service
      metadata:
        name: kubia
      spec:
        ipFamilyPolicy: RequireDualStack
        selector:
          app: kubia
        ports:
        - port: 80
          targetPort: 8080
      """;

  @AutoClose private final Lab lab = Lab.create();
  private final Node node = lab.addNode("node1");
  private final Node otherNode = lab.addNode("node2");
  private final Client podClient = node.addPod("client").client();
  private final Client hostClient = node.host().client();
  private final Sock oldSocket = podClient.tcp(Family.IPV4);
  private Programmed programmed = new Programmed(List.of());

  @BeforeAll
  void start() {
    List<Pod> here = node.addServers("kubia-a", "kubia-b");
    List<Pod> there = otherNode.addServers("kubia-c");
    node.host().serveAs("on-the-host", "--http", "8088", "--banner", "9008", "--udp", "5008");
    node.write(
        "kubia.yaml",
        Manifest.of(
            KUBIA,
            Manifest.pods("app: kubia", here),
            Manifest.pods("app: kubia", there),
            Manifest.serverService("three", 20, "app: kubia")));
    node.write(
        "host.yaml",
        Manifest.of(
            Manifest.service(
                "host",
                21,
                "app: host",
                "{name: http, port: 80, targetPort: 8088}",
                "{name: banner, port: 90, targetPort: 9008}",
                "{name: udp, port: 50, targetPort: 5008, protocol: UDP}"),
            Manifest.pod(node.host()).label("app: host").hostNetwork()));
    node.startAgent();
    programmed = node.services();
  }

  private String kubia(Family family) {
    return programmed.clusterIp("default/kubia", family).orElseThrow();
  }

  @ParameterizedTest
  @EnumSource
  void curlHitsEveryPodAboutEvenly(Family family) {
    String url = "http://" + Family.hostPort(kubia(family), 80) + "/";
    Map<String, Integer> hits = new TreeMap<>();
    for (int i = 0; i < 90; i++) {
      hits.merge(podClient.pod().curl(url).orFail().out(), 1, Integer::sum);
    }
    assertThat(hits)
        .containsOnlyKeys("You've hit kubia-a\n", "You've hit kubia-b\n", "You've hit kubia-c\n");
    assertThat(hits.values()).allMatch(count -> count >= 8, "at least 8 of 90");
  }

  @ParameterizedTest
  @EnumSource
  void theServiceIsListedWithItsEndpoints(Family family) {
    assertThat(programmed.backends(kubia(family), 80, "tcp")).hasSize(3);
  }

  @ParameterizedTest
  @EnumSource
  void podsTheNodeAndProcessesOlderThanTheAgentReachIt(Family family) {
    for (Kind kind : Kind.values()) {
      Checks.meets(podClient, kind, family.service(20), "kubia-a", "kubia-b", "kubia-c");
      Checks.meets(hostClient, kind, family.service(20), "kubia-a", "kubia-b", "kubia-c");
    }
    Client young = node.addPod("young-" + family.number()).client();
    Checks.meets(young, Kind.TCP, family.service(20), "kubia-a", "kubia-b", "kubia-c");
  }

  @Test
  void aSocketOlderThanTheAgentIsTranslated() {
    assertThat(oldSocket.connect(Family.IPV4.service(20), Checks.ECHO)).isEqualTo(Outcome.OK);
    assertThat(oldSocket.exchange("hello")).startsWith("kubia-");
    assertThat(oldSocket.peer()).isEqualTo(Family.IPV4.service(20) + ":" + Checks.ECHO);
  }

  @ParameterizedTest
  @EnumSource
  void netcatReachesIt(Family family) {
    assertThat(
            podClient
                .pod()
                .feed("GET / HTTP/1.0\r\n\r\n", "nc", "-w", "5", family.service(20), "80")
                .orFail()
                .out())
        .contains("You've hit kubia-");
  }

  @ParameterizedTest
  @EnumSource
  void aHostNetworkPodIsAnEndpointLikeAnyOther(Family family) {
    for (Kind kind : Kind.values()) {
      Checks.meets(podClient, kind, family.service(21), "on-the-host");
      Checks.meets(hostClient, kind, family.service(21), "on-the-host");
    }
    assertThat(node.host().curl("http://" + Family.hostPort(family.service(21), 80)).orFail().out())
        .isEqualTo("You've hit on-the-host\n");
  }

  @ParameterizedTest
  @EnumSource
  void aPodReachesItselfThroughItsService(Family family) {
    Pod own = node.addServers("own-" + family.number()).getFirst();
    int number = 30 + family.number();
    node.write(
        "own.yaml",
        Manifest.of(
            Manifest.serverService("own", number, "app: own"),
            Manifest.pod(own).label("app: own")));
    Client inside = own.client();
    Checks.meetsSoon(inside, family.service(number), own.name());
    Checks.meets(inside, Kind.UDP, family.service(number), own.name());
  }

  @ParameterizedTest
  @EnumSource
  void theServerSeesTheClientItself(Family family) {
    Outcome answer = podClient.who(family.service(20), Checks.HTTP);
    assertThat(answer.value().get("client").text()).isEqualTo(podClient.pod().address(family));
  }

  @ParameterizedTest
  @EnumSource
  void whatIsNoServiceIsLeftAlone(Family family) {
    assertThat(podClient.hit(Kind.TCP, family.service(99), 80)).isEqualTo(Outcome.NOT_TRANSLATED);
    assertThat(podClient.hit(Kind.UDP_UNCONNECTED, family.service(99), 80))
        .isEqualTo(Outcome.NOT_TRANSLATED);
  }

  @Test
  void anotherNodesProcessesAreLeftAlone() {
    Client foreign = otherNode.addPod("foreign").client();
    assertThat(foreign.hit(Kind.TCP, Family.IPV4.service(20), Checks.BANNER))
        .isEqualTo(Outcome.NOT_TRANSLATED);
  }

  @Test
  void aServiceWorksInANamespaceMadeLater() {
    Client late = node.addPod("late").client();
    Eventually.soon(
        () -> assertThat(late.nameAt(Family.IPV4.service(20), Checks.HTTP)).startsWith("kubia-"));
  }
}
