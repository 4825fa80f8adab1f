// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.Client;
import dev.patchbay.lab.Client.Kind;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Outcome;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * What a real API server lets through and nobody can serve: it is told in the logs and as Events of
 * the Service, and a Service beside it works all the time.
 */
@EndToEnd
class OddObjectsClusterTest {
  private static final String BANNER_PORT = "{name: banner, port: 9000}";

  @AutoClose private final TwoNodes two = new TwoNodes();
  private String server = "";

  @BeforeAll
  void start() {
    two.cluster.apply(
        TwoNodes.pod("neighbour-1", "neighbour", two.node1, 0) + TwoNodes.service("neighbour"));
    server = two.place("neighbour-1").ipv4();
    for (Client client : List.of(two.older, two.host2)) {
      TwoNodes.meets(client, two.clusterIp("neighbour"), "neighbour-1");
      client.startLoad(
          "neighbour", Kind.TCP, two.clusterIp("neighbour"), TwoNodes.BANNER, Duration.ofMillis(5));
    }
  }

  @AfterAll
  void theNeighbourNeverFailed() {
    for (Client client : List.of(two.older, two.host2)) {
      Client.LoadReport report = client.stopLoad("neighbour");
      assertThat(report.outcomes()).containsOnlyKeys("neighbour-1");
      assertThat(report.attempts()).isGreaterThan(100);
    }
  }

  /** A Service without a selector. */
  private static String bare(String name) {
    return TwoNodes.service(name).replace("  selector: {app: " + name + "}\n", "");
  }

  @Test
  void addressesThatNobodyCanConnectTo() {
    two.cluster.apply(
        bare("odd")
            + TwoNodes.slice("odd-1", "odd", BANNER_PORT, "239.1.1.1", "255.255.255.255", server));
    TwoNodes.meets(two.pod1, two.clusterIp("odd"), "neighbour-1");
    two.tells("odd", "EndpointSlice odd-1", "239.1.1.1");
    two.tells("odd", "EndpointSlice odd-1", "255.255.255.255");
  }

  @Test
  void namesInsteadOfAddresses() {
    two.cluster.apply(
        bare("fqdn")
            + TwoNodes.slice("fqdn-1", "fqdn", BANNER_PORT, "example.test")
                .replace("addressType: IPv4", "addressType: FQDN")
            + TwoNodes.slice("fqdn-2", "fqdn", BANNER_PORT, server));
    TwoNodes.meets(two.pod1, two.clusterIp("fqdn"), "neighbour-1");
  }

  @Test
  void portsThatAreMissingOrNoNumbers() {
    two.cluster.apply(
        bare("ports")
            + TwoNodes.slice("ports-none", "ports", "", server)
            + TwoNodes.slice("ports-nil", "ports", "{name: banner}", server)
            + TwoNodes.slice("ports-zero", "ports", "{name: banner, port: 0}", server)
            + TwoNodes.slice("ports-large", "ports", "{name: banner, port: 70000}", server));
    two.tells("ports", "EndpointSlice ports-none", "is empty, so nothing leads to its endpoints");
    two.tells("ports", "EndpointSlice ports-nil", "ports[0].port");
    two.tells("ports", "EndpointSlice ports-zero", "ports[0].port");
    two.tells("ports", "EndpointSlice ports-large", "ports[0].port", "70000");
    assertThat(two.node1.agent().err().lines().filter(line -> line.contains("ports-nil")))
        .as("once is enough")
        .hasSize(1);
    TwoNodes.meets(two.pod1, two.clusterIp("ports"), Outcome.REFUSED);
    two.cluster.apply(TwoNodes.slice("ports-good", "ports", BANNER_PORT, server));
    TwoNodes.meets(two.pod1, two.clusterIp("ports"), "neighbour-1");
  }

  @Test
  void aPortWithoutANameIsTheUnnamedOne() {
    // The API server makes it the empty name, which is that of the only port of a Service.
    two.cluster.apply(
        bare("nameless") + TwoNodes.slice("nameless-1", "nameless", "{port: 9000}", server));
    two.tells("nameless", "EndpointSlice nameless-1", "has a port without a name");
    TwoNodes.meets(two.pod1, two.clusterIp("nameless"), Outcome.REFUSED);
    two.cluster.apply(TwoNodes.slice("nameless-2", "nameless", BANNER_PORT, server));
    TwoNodes.meets(two.pod1, two.clusterIp("nameless"), "neighbour-1");
  }

  @Test
  void endpointsThatAreThereTwice() {
    two.cluster.apply(
        bare("twice")
            + TwoNodes.slice("twice-1", "twice", BANNER_PORT, server, server)
            + TwoNodes.slice("twice-2", "twice", BANNER_PORT, server));
    String address = two.clusterIp("twice");
    TwoNodes.meets(two.pod1, address, "neighbour-1");
    assertThat(two.node1.services().backends(address, TwoNodes.BANNER, "tcp")).hasSize(1);
  }

  @Test
  void externalIpsThatTwoServicesWant() {
    String wish = "externalIPs: [203.0.113.30]";
    two.cluster.apply(bare("first") + TwoNodes.slice("first-1", "first", BANNER_PORT, server));
    two.cluster.apply(TwoNodes.service("first", wish).replace("  selector: {app: first}\n", ""));
    TwoNodes.meets(two.pod1, "203.0.113.30", "neighbour-1");
    two.cluster.apply(TwoNodes.service("later", wish));
    two.tells("later", "203.0.113.30", "default/first");
    assertThat(two.events("first")).isEmpty();
    TwoNodes.meets(two.pod1, "203.0.113.30", "neighbour-1");
    TwoNodes.meets(two.pod1, two.clusterIp("later"), Outcome.REFUSED);
    // It is the other's turn as soon as the first one is gone.
    two.cluster.kubectl("delete", "service", "first").orFail();
    TwoNodes.meets(two.pod1, "203.0.113.30", Outcome.REFUSED);
  }

  @Test
  void anExternalIpThatIsTheClusterIpOfAnother() {
    String victim = two.clusterIp("neighbour");
    two.cluster.apply(
        TwoNodes.service("thief", "externalIPs: [" + victim + "]")
            .replace("  selector: {app: thief}\n", ""));
    two.tells("thief", victim, "default/neighbour");
    TwoNodes.meets(two.pod1, victim, "neighbour-1");
  }

  @Test
  void sctpIsToldRatherThanMistreated() {
    two.cluster.apply(
        """
        apiVersion: v1
        kind: Service
        metadata: {name: signal}
        spec:
          ports:
          - {name: sctp, port: 36412, protocol: SCTP}
          - {name: banner, port: 90}
        """
            + TwoNodes.slice(
                "signal-1",
                "signal",
                "{name: sctp, port: 36412, protocol: SCTP}, " + BANNER_PORT,
                server));
    two.tells("signal", "SCTP");
    TwoNodes.meets(two.pod1, two.clusterIp("signal"), "neighbour-1");
  }
}
