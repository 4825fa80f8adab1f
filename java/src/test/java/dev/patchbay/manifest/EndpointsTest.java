// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import static dev.patchbay.manifest.Manifests.KUBIA;
import static dev.patchbay.manifest.Manifests.clusterIps;
import static dev.patchbay.manifest.Manifests.endpoints;
import static dev.patchbay.manifest.Manifests.pod;
import static dev.patchbay.manifest.Manifests.problems;
import static dev.patchbay.manifest.Manifests.service;
import static dev.patchbay.manifest.Manifests.slice;
import static dev.patchbay.manifest.Manifests.state;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the embedded control plane makes of manifests. */
class EndpointsTest {
  private static final String NAMED = KUBIA.replace("targetPort: 8080", "targetPort: http");
  private static final String SELECTORLESS = service("db", "ports:", "- port: 80");
  private static final String ENDPOINTS =
      """
      apiVersion: v1
      kind: Endpoints
      metadata:
        name: db
      subsets:
      - addresses:
        - ip: 10.9.0.1
        - ip: fd00::1
        notReadyAddresses:
        - ip: 10.9.0.2
          targetRef: {kind: Pod, name: db-2}
        ports:
        - port: 5432
      """;

  @TempDir Path root;
  private Manifests manifests;

  @BeforeEach
  void create() {
    manifests = new Manifests(root);
  }

  private Told load(String... documents) {
    return manifests.write("a.yaml", documents).load();
  }

  @Test
  void aSelectorStandsForThePodsThatMatch() {
    Told loaded =
        load(
            KUBIA,
            pod("kubia-2", "kubia", "10.1.0.2"),
            pod("kubia-1", "kubia", "10.1.0.1"),
            pod("other", "other", "10.1.0.3"),
            pod("kubia-3", "kubia", "10.1.0.4")
                .replace("name: kubia-3", "name: kubia-3\n  namespace: x"));
    assertThat(endpoints(loaded, "kubia"))
        .containsExactly("10.1.0.1 =8080/TCP", "10.1.0.2 =8080/TCP");
    assertThat(state(loaded, "kubia").notes()).isEmpty();
    assertThat(problems(loaded)).isEmpty();
    assertThat(state(loaded, "kubia").slices().getFirst().endpoints().getFirst().nodeName())
        .isEqualTo("node-1");
    assertThat(state(loaded, "kubia").slices().getFirst().endpoints().getFirst().target())
        .isEqualTo("kubia-1");
  }

  @Test
  void allLabelsOfASelectorMustMatch() {
    Told loaded =
        load(
            KUBIA.replace("app: kubia", "app: kubia\n    tier: web"),
            pod("kubia-1", "kubia", "10.1.0.1"),
            pod("kubia-2", "kubia", "10.1.0.2").replace("app: kubia", "app: kubia\n    tier: web"));
    assertThat(endpoints(loaded, "kubia")).containsExactly("10.1.0.2 =8080/TCP");
  }

  @Test
  void aNamedPortMayHaveAnotherNumberInEachPod() {
    Told loaded =
        load(
            NAMED,
            pod("kubia-1", "kubia", "10.1.0.1"),
            pod("kubia-2", "kubia", "10.1.0.2").replace("8080", "9090"),
            pod("kubia-3", "kubia", "10.1.0.3"));
    assertThat(endpoints(loaded, "kubia"))
        .containsExactly("10.1.0.1 =8080/TCP", "10.1.0.3 =8080/TCP", "10.1.0.2 =9090/TCP");
  }

  @Test
  void aNamedPortMustHaveTheProtocolOfTheServicePort() {
    Told loaded =
        load(
            NAMED,
            pod("kubia-1", "kubia", "10.1.0.1")
                .replace("containerPort: 8080", "containerPort: 8080\n      protocol: UDP"));
    assertThat(endpoints(loaded, "kubia")).containsExactly("10.1.0.1 ");
    assertThat(state(loaded, "kubia").notes())
        .containsExactly(
            "Pod kubia-1 has no TCP port named \"http\"; its ports are named \"http\" (UDP)");
  }

  @Test
  void aPodThatLacksANamedPortIsNoEndpointOfThatPortOnly() {
    Told loaded =
        load(
            service(
                "kubia",
                "ports:",
                "- {name: http, port: 80, targetPort: http}",
                "- {name: raw, port: 90, targetPort: 9000}",
                "selector: {app: kubia}"),
            pod("kubia-1", "kubia", "10.1.0.1"),
            pod("kubia-2", "kubia", "10.1.0.2").replace("name: http", "name: web"));
    assertThat(endpoints(loaded, "kubia"))
        .containsExactlyInAnyOrder("10.1.0.1 http=8080/TCP,raw=9000/TCP", "10.1.0.2 raw=9000/TCP");
    assertThat(state(loaded, "kubia").notes())
        .containsExactly(
            "Pod kubia-2 has no TCP port named \"http\"; its ports are named \"web\" (TCP)");
    assertThat(problems(loaded)).isEmpty();
  }

  @Test
  void theNamedPortOfASidecarCountsThatOfAnInitContainerDoesNot() {
    String withInit =
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: %s, labels: {app: kubia}}
        spec:
          initContainers:
          - name: proxy
            %s
            ports: [{name: http, containerPort: 15001}]
          containers: [{name: main}]
        status: {podIP: %s}
        """;
    Told loaded =
        load(
            NAMED,
            withInit.formatted("kubia-1", "restartPolicy: Always", "10.1.0.1"),
            withInit.formatted("kubia-2", "image: x", "10.1.0.2"));
    assertThat(endpoints(loaded, "kubia")).contains("10.1.0.1 =15001/TCP", "10.1.0.2 ");
  }

  @Test
  void readinessFollowsTheReadyCondition() {
    String conditions = "podIP: 10.1.0.%d\n  conditions:\n  - {type: Ready, status: \"%s\"}";
    Told loaded =
        load(
            KUBIA,
            pod("a", "kubia", "10.1.0.1")
                .replace("podIP: 10.1.0.1", conditions.formatted(1, "True")),
            pod("b", "kubia", "10.1.0.2")
                .replace("podIP: 10.1.0.2", conditions.formatted(2, "False")),
            pod("c", "kubia", "10.1.0.3").replace("podIP", "phase: Running\n  podIP"),
            pod("d", "kubia", "10.1.0.4").replace("podIP", "phase: Pending\n  podIP"),
            pod("e", "kubia", "10.1.0.5").replace("podIP", "phase: Succeeded\n  podIP"),
            pod("f", "kubia", "10.1.0.6").replace("podIP", "phase: Failed\n  podIP"),
            pod("g", "kubia", "10.1.0.7").replace("podIP: 10.1.0.7", "phase: Running"),
            pod("h", "kubia", "10.1.0.8")
                .replace(
                    "name: h\n  labels",
                    "name: h\n  deletionTimestamp: 2026-01-01T00:00:00Z\n  labels"));
    assertThat(endpoints(loaded, "kubia"))
        .containsExactly(
            "10.1.0.1 =8080/TCP",
            "10.1.0.2 =8080/TCP unready",
            "10.1.0.3 =8080/TCP",
            "10.1.0.4 =8080/TCP unready",
            "10.1.0.8 =8080/TCP unready serving terminating");
    assertThat(state(loaded, "kubia").notes())
        .containsExactly(
            "Pods e, f have run to their end and are no endpoints", "Pod g has no IPv4 address");
  }

  @Test
  void noReadyEndpointIsNoted() {
    Told loaded =
        load(KUBIA, pod("a", "kubia", "10.1.0.1").replace("podIP", "phase: Pending\n  podIP"));
    assertThat(state(loaded, "kubia").notes())
        .containsExactly("there is one endpoint, and it is not ready");
  }

  @Test
  void publishNotReadyAddressesIsKept() {
    Told loaded =
        load(
            KUBIA + "  publishNotReadyAddresses: true\n",
            pod("a", "kubia", "10.1.0.1").replace("podIP", "phase: Pending\n  podIP"));
    assertThat(state(loaded, "kubia").service().publishNotReadyAddresses()).isTrue();
    assertThat(state(loaded, "kubia").notes()).isEmpty();
  }

  @Test
  void aPodOnTheHostsNetworkHasTheHostsAddress() {
    Told loaded =
        load(
            KUBIA,
            pod("a", "kubia", "x")
                .replace("podIP: x", "hostIP: 192.168.7.1")
                .replace("nodeName", "hostNetwork: true\n  nodeName"));
    assertThat(endpoints(loaded, "kubia")).containsExactly("192.168.7.1 =8080/TCP");
  }

  @Test
  void dualStackTakesBothAddressesOfAPod() {
    String pod =
        pod("a", "kubia", "10.1.0.1")
            .replace(
                "podIP: 10.1.0.1",
                "podIP: 10.1.0.1\n  podIPs: [{ip: 10.1.0.1}, {ip: \"fd01::1\"}]");
    Told loaded = load(KUBIA + "  ipFamilyPolicy: PreferDualStack\n", pod);
    assertThat(endpoints(loaded, "kubia"))
        .containsExactly("10.1.0.1 =8080/TCP", "fd01::1 =8080/TCP");
    assertThat(clusterIps(loaded, "kubia")).hasSize(2);
    assertThat(clusterIps(loaded, "kubia").get(0)).startsWith("10.96.");
    assertThat(clusterIps(loaded, "kubia").get(1)).startsWith("fd00:10:96::");
    Told single = load(KUBIA + "  ipFamilies: [IPv6]\n", pod);
    assertThat(endpoints(single, "kubia")).containsExactly("fd01::1 =8080/TCP");
    assertThat(clusterIps(single, "kubia")).hasSize(1).allMatch(a -> a.startsWith("fd00:10:96::"));
  }

  @Test
  void endpointsWrittenByHandAreMirrored() {
    Told loaded = load(SELECTORLESS, ENDPOINTS);
    assertThat(endpoints(loaded, "db"))
        .containsExactly("10.9.0.1 =5432/TCP", "10.9.0.2 =5432/TCP unready", "fd00::1 =5432/TCP");
    assertThat(problems(loaded)).isEmpty();
  }

  @Test
  void slicesWrittenByHandAndEndpointsAddUp() {
    Told loaded = load(SELECTORLESS, ENDPOINTS, slice("db-x", "db", "IPv4", "10.9.0.7"));
    assertThat(endpoints(loaded, "db"))
        .containsExactlyInAnyOrder(
            "10.9.0.1 =5432/TCP",
            "10.9.0.2 =5432/TCP unready",
            "fd00::1 =5432/TCP",
            "10.9.0.7 =8080/TCP");
  }

  @Test
  void endpointsOfAServiceWithSelectorAreNotUsed() {
    Told loaded = load(KUBIA, ENDPOINTS.replace("name: db\n", "name: kubia\n"));
    assertThat(endpoints(loaded, "kubia")).isEmpty();
    assertThat(state(loaded, "kubia").notes())
        .containsExactly(
            "the selector app=kubia matches no Pod in namespace default, which has no Pods",
            "Endpoints of the same name are not used, because the Service has a selector");
  }

  @Test
  void slicesWrittenByHandAreUsedBesideASelector() {
    Told loaded =
        load(KUBIA, pod("a", "kubia", "10.1.0.1"), slice("more", "kubia", "IPv4", "10.9.0.7"));
    assertThat(endpoints(loaded, "kubia"))
        .containsExactly("10.1.0.1 =8080/TCP", "10.9.0.7 =8080/TCP");
    Told without = load(KUBIA, slice("more", "kubia", "IPv4", "10.9.0.7"));
    assertThat(endpoints(without, "kubia")).containsExactly("10.9.0.7 =8080/TCP");
    assertThat(problems(without)).isEmpty();
  }

  @Test
  void slicesThatAClusterMadeGiveWayToThePodsTheyWereMadeFrom() {
    String made =
        slice("kubia-abcde", "kubia", "IPv4", "10.9.0.7")
            .replace(
                "labels:\n",
                "labels:\n    endpointslice.kubernetes.io/managed-by:"
                    + " endpointslice-controller.k8s.io\n");
    assertThat(endpoints(load(KUBIA, made), "kubia")).containsExactly("10.9.0.7 =8080/TCP");
    assertThat(endpoints(load(KUBIA, made, pod("a", "kubia", "10.1.0.1")), "kubia"))
        .containsExactly("10.1.0.1 =8080/TCP");
  }

  @Test
  void conditionsOfASliceHaveDefaults() {
    String conditions =
        """
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: s, labels: {kubernetes.io/service-name: db}}
        addressType: IPv4
        ports: [{port: 80}]
        endpoints:
        - addresses: [10.0.0.1]
        - addresses: [10.0.0.2]
          conditions: {}
        - addresses: [10.0.0.3]
          conditions: {ready: null, serving: null}
        - addresses: [10.0.0.4]
          conditions: {ready: false}
        - addresses: [10.0.0.5]
          conditions: {ready: false, serving: true, terminating: true}
        - addresses: [10.0.0.6]
          conditions: {ready: true, serving: false}
        """;
    assertThat(endpoints(load(SELECTORLESS, conditions), "db"))
        .containsExactly(
            "10.0.0.1 =80/TCP",
            "10.0.0.2 =80/TCP",
            "10.0.0.3 =80/TCP",
            "10.0.0.4 =80/TCP unready",
            "10.0.0.5 =80/TCP unready serving terminating",
            "10.0.0.6 =80/TCP mute");
  }

  @Test
  void aSliceWithOtherPortNamesIsTold() {
    Told loaded =
        load(
            service("db", "ports:", "- {name: sql, port: 80}"),
            slice("s", "db", "IPv4", "10.0.0.1")
                .replace("- port: 8080", "- {name: pg, port: 5432}"));
    assertThat(problems(loaded))
        .containsExactly(
            "WARNING a.yaml, document 1: Service default/db: spec.ports[0].name: no endpoint has"
                + " the port \"sql\" (TCP); there is \"pg\" (TCP)");
    assertThat(state(loaded, "db").notes())
        .containsExactly("no endpoint has the port \"sql\" (TCP); there is \"pg\" (TCP)");
  }

  @Test
  void endpointsOfNobodyAreNoted() {
    Told loaded =
        load(
            ENDPOINTS,
            slice("s", "nobody", "IPv4", "10.0.0.1"),
            slice("t", "x", "IPv4", "10.0.0.1").replace("kubernetes.io/service-name", "other"));
    assertThat(problems(loaded))
        .containsExactly(
            "NOTE a.yaml, document 1: Endpoints default/db: metadata.name: there is no Service"
                + " default/db; ignored",
            "NOTE a.yaml, document 2: EndpointSlice default/s:"
                + " metadata.labels[kubernetes.io/service-name]: there is no Service"
                + " default/nobody; ignored",
            "NOTE a.yaml, document 3: EndpointSlice default/t: metadata.labels: has no label"
                + " kubernetes.io/service-name, so it belongs to no Service; ignored");
  }

  @Test
  void slicesThatAreNotForProxiesAreIgnored() {
    Told loaded =
        load(
            SELECTORLESS,
            slice("s", "db", "IPv4", "10.0.0.1")
                .replace("labels:\n", "labels:\n    service.kubernetes.io/headless: \"\"\n"),
            slice("t", "db", "FQDN", "example.com"));
    assertThat(endpoints(loaded, "db")).isEmpty();
    assertThat(problems(loaded))
        .containsExactly(
            "NOTE a.yaml, document 2: EndpointSlice default/s: metadata.labels: the slice is"
                + " labelled as not for proxies; ignored",
            "NOTE a.yaml, document 3: EndpointSlice default/t: addressType: FQDN has no meaning"
                + " for the dataplane; ignored");
  }

  @Test
  void anExternalNameHasNeitherAddressesNorEndpointsAndCanChangeBack() {
    String name = service("db", "type: ExternalName", "externalName: db.example.com");
    Told first = load(SELECTORLESS, slice("s", "db", "IPv4", "10.0.0.1"));
    Told external = load(name, slice("s", "db", "IPv4", "10.0.0.1"));
    assertThat(clusterIps(external, "db")).isEmpty();
    assertThat(endpoints(external, "db")).isEmpty();
    Told back = load(SELECTORLESS, slice("s", "db", "IPv4", "10.0.0.1"));
    assertThat(clusterIps(back, "db")).isEqualTo(clusterIps(first, "db"));
    assertThat(endpoints(back, "db")).containsExactly("10.0.0.1 =8080/TCP");
  }

  @Test
  void aServiceWithoutAnythingBehindItSaysSo() {
    assertThat(state(load(SELECTORLESS), "db").notes())
        .containsExactly(
            "the Service has no selector, and there are neither Endpoints of its name nor"
                + " EndpointSlices labelled kubernetes.io/service-name: db");
  }

  @Test
  void aNodeIsReadAndOthersAreNot() {
    Told loaded = load("apiVersion: v1\nkind: Node\nmetadata:\n  name: node-1\n");
    assertThat(loaded.objects()).isEqualTo(1);
    assertThat(problems(loaded)).isEmpty();
  }
}
