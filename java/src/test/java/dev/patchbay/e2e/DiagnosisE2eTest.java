// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.e2e;

import static dev.patchbay.lab.Manifest.pod;
import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Manifest;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Pod;
import dev.patchbay.lab.Result;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** "My Service does not answer": the cause has to be in the output, by name. */
@EndToEnd
class DiagnosisE2eTest {
  @AutoClose private final Lab lab = Lab.create();
  private final Node node = lab.addNode("node1");
  private final List<Pod> pods = node.addServers("kubia-a", "kubia-b", "kubia-c");

  @BeforeAll
  void start() {
    node.write(
        "pods.yaml",
        Manifest.of(
            pod(pods.get(0)).label("app: kubia").port("http", 8080),
            pod(pods.get(1)).label("app: kubia").port("http", 8080).notReady(),
            pod(pods.get(2)).label("app: broken").port("http", 8080).notReady()));
    node.write("good.yaml", service("good", 10, "app: kubia", "http"));
    node.write("selector.yaml", service("selector", 11, "app: kubai", "http"));
    node.write("port.yaml", service("port", 12, "app: kubia", "htpp"));
    node.write("unready.yaml", service("unready", 13, "app: broken", "http"));
    node.write(
        "winner.yaml",
        service("winner", 14, "app: kubia", "http")
            .replace(
                "  name: winner", "  name: winner\n  creationTimestamp: 2026-01-01T00:00:00Z"));
    node.write(
        "loser.yaml",
        service("loser", 14, "app: kubia", "http")
            .replace("  name: loser", "  name: loser\n  creationTimestamp: 2026-01-02T00:00:00Z"));
    node.startAgent();
  }

  private static String service(String name, int number, String label, String targetPort) {
    return Manifest.service(
        name, number, label, "{name: web, port: 80, targetPort: %s}".formatted(targetPort));
  }

  private String explain(Family family, int number, String suffix) {
    Result result = node.read("explain", Family.hostPort(family.service(number), 80) + suffix);
    assertThat(result.err()).doesNotContain("Exception");
    return result.out();
  }

  @ParameterizedTest
  @EnumSource
  void aHealthyServiceNamesItsEndpointsAndWhyOthersAreLeftOut(Family family) {
    assertThat(explain(family, 10, ""))
        .contains(
            "default/good",
            Family.hostPort(pods.get(0).address(family), 8080),
            pods.get(1).address(family))
        .containsIgnoringCase("not ready");
  }

  @ParameterizedTest
  @EnumSource
  void aWrongSelectorIsNamed(Family family) {
    assertThat(explain(family, 11, ""))
        .contains("default/selector", "app=kubai")
        .containsIgnoringCase("selector");
    assertThat(node.validate().all()).containsPattern("(?m)selector\\.yaml.*selector.*app=kubai");
  }

  @ParameterizedTest
  @EnumSource
  void aWrongPortNameIsNamed(Family family) {
    assertThat(explain(family, 12, "")).contains("default/port", "htpp");
    assertThat(node.validate().all()).containsPattern("(?m)port\\.yaml.*targetPort.*htpp");
  }

  @ParameterizedTest
  @EnumSource
  void noReadyPodIsNamed(Family family) {
    assertThat(explain(family, 13, ""))
        .contains("default/unready", pods.get(2).address(family))
        .containsIgnoringCase("not ready");
  }

  @ParameterizedTest
  @EnumSource
  void anAddressConflictIsNamed(Family family) {
    assertThat(explain(family, 14, "")).contains("default/winner", "default/loser");
  }

  @Test
  void validateNamesAnAddressConflictAndFails() {
    Result result = node.validate();
    assertThat(result.exit()).isEqualTo(1);
    assertThat(result.all())
        .containsPattern("(?m)loser\\.yaml.*10\\.96\\.0\\.14.*winner")
        .doesNotContain("good.yaml");
  }

  @Test
  void anAddressOfNoServiceIsCalledThat() {
    Result result = node.read("explain", "10.96.0.99:80");
    assertThat(result.all()).contains("10.96.0.99").containsIgnoringCase("no service");
  }

  @Test
  void anUnknownPortOfAServiceIsCalledThat() {
    assertThat(node.read("explain", "10.96.0.10:81").all())
        .contains("default/good", "81")
        .containsIgnoringCase("refused");
    assertThat(node.read("explain", "10.96.0.10:80/udp").all())
        .contains("default/good")
        .containsIgnoringCase("refused");
  }

  @Test
  void nonsenseIsWrongUsage() {
    assertThat(node.read("explain", "nonsense").exit()).isEqualTo(2);
    assertThat(node.read("explain").exit()).isEqualTo(2);
  }

  @Test
  void theAgeOfTheReasonsIsShown() {
    assertThat(explain(Family.IPV4, 10, "")).containsPattern("\\d+ ?(ms|s|m|second|minute)");
  }
}
