// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.Client;
import dev.patchbay.lab.Client.Kind;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Manifest;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Outcome;
import dev.patchbay.lab.Pod;
import dev.patchbay.lab.Programmed;
import dev.patchbay.lab.Result;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** Cluster IPs that the manifests leave open, give, take twice, and refuse to have. */
@EndToEnd
class ClusterIpE2eTest {
  @AutoClose private final Lab lab = Lab.create();
  private final Node node = lab.addNode("node1");
  private final Pod pod = node.addServers("server").getFirst();
  private final Client client = node.addPod("client").client();

  private static String open(String name) {
    return """
    apiVersion: v1
    kind: Service
    metadata:
      name: %s
    spec:
      ipFamilyPolicy: RequireDualStack
      selector: {app: server}
      ports:
      - {port: 90, targetPort: 9000}
    """
        .formatted(name);
  }

  private static String given(String name, String address, String created) {
    return """
    apiVersion: v1
    kind: Service
    metadata:
      name: %s
      creationTimestamp: "%s"
    spec:
      clusterIP: %s
      selector: {app: server}
      ports:
      - {port: 90, targetPort: 9000}
    """
        .formatted(name, created, address);
  }

  private static Map<String, String> addresses(Programmed programmed, List<String> names) {
    Map<String, String> addresses = new TreeMap<>();
    for (String name : names) {
      for (Family family : Family.values()) {
        addresses.put(
            name + " " + family, programmed.clusterIp("default/" + name, family).orElse("none"));
      }
    }
    return addresses;
  }

  @Test
  void openOnesAreAssignedAndStayOverRestartsAndFileOrder() {
    List<String> names = List.of("one", "two", "three", "four", "five");
    names.forEach(name -> node.write(name + ".yaml", open(name)));
    node.write("pod.yaml", Manifest.pods("app: server", List.of(pod)));
    node.startAgent();
    Map<String, String> first = addresses(node.services(), names);
    assertThat(first.values()).doesNotHaveDuplicates();
    first.forEach(
        (key, address) ->
            assertThat(address).startsWith(key.endsWith("IPV4") ? "10.96." : "fd00:10:96:"));
    first.values().forEach(address -> Checks.meets(client, Kind.TCP, address, "server"));

    node.agent().kill();
    names.forEach(name -> node.delete(name + ".yaml"));
    List<Object> backwards = new ArrayList<>();
    names.reversed().forEach(name -> backwards.add(open(name)));
    backwards.addFirst(open("new"));
    node.write("all.yaml", Manifest.of(backwards.toArray()));
    node.startAgent();
    assertThat(addresses(node.services(), names)).isEqualTo(first);

    node.agent().kill();
    node.cleanup().orFail();
    node.startAgent();
    assertThat(addresses(node.services(), names)).isEqualTo(first);
    node.agent().kill();
    node.delete("all.yaml");
  }

  @Test
  void oneThatIsGivenIsHonouredAndTheOlderServiceWinsAConflict() {
    node.write("pod.yaml", Manifest.pods("app: server", List.of(pod)));
    node.write("young.yaml", given("alpha", "10.96.0.50", "2026-02-01T00:00:00Z"));
    node.write("old.yaml", given("zeta", "10.96.0.50", "2026-01-01T00:00:00Z"));
    node.startAgent();
    Programmed programmed = node.services();
    assertThat(programmed.clusterIp("default/zeta", Family.IPV4)).contains("10.96.0.50");
    assertThat(programmed.of("default/alpha")).isEmpty();
    Checks.meets(client, Kind.TCP, "10.96.0.50", "server");
    Result validation = node.validate();
    assertThat(validation.exit()).isEqualTo(1);
    assertThat(validation.all()).contains("young.yaml", "alpha", "zeta", "10.96.0.50");
    node.agent().kill();
    node.delete("young.yaml");
    node.delete("old.yaml");
  }

  @Test
  void oneOutOfRangeIsRefusedWithAReason() {
    node.write("far.yaml", given("far", "11.22.33.44", "2026-01-01T00:00:00Z"));
    node.write("near.yaml", given("near", "10.96.0.51", "2026-01-01T00:00:00Z"));
    node.write("pod.yaml", Manifest.pods("app: server", List.of(pod)));
    node.startAgent();
    assertThat(node.services().of("default/far")).isEmpty();
    assertThat(client.hit(Kind.TCP, "11.22.33.44", 90)).isEqualTo(Outcome.NOT_TRANSLATED);
    Checks.meets(client, Kind.TCP, "10.96.0.51", "server");
    Result validation = node.validate();
    assertThat(validation.exit()).isEqualTo(1);
    assertThat(validation.all()).contains("far.yaml", "spec.clusterIP", "11.22.33.44");
    node.agent().kill();
    node.delete("far.yaml");
    node.delete("near.yaml");
  }

  @Test
  void aHeadlessServiceHasNoFrontend() {
    node.write("headless.yaml", given("headless", "None", "2026-01-01T00:00:00Z"));
    node.write("pod.yaml", Manifest.pods("app: server", List.of(pod)));
    node.startAgent();
    assertThat(node.services().of("default/headless")).isEmpty();
    Result validation = node.validate();
    assertThat(validation.exit()).as(validation.toString()).isZero();
    node.agent().kill();
    node.delete("headless.yaml");
  }
}
