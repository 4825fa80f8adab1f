// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Json;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Manifest;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Patchbay;
import dev.patchbay.lab.Pod;
import dev.patchbay.lab.Programmed;
import dev.patchbay.lab.Result;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A look at what is programmed, before and after a change, with and without an agent. */
@EndToEnd
class ServicesCommandE2eTest {
  @AutoClose private final Lab lab = Lab.create();
  private final Node node = lab.addNode("node1");
  private final List<Pod> pods = List.of(node.addPod("a"), node.addPod("b"));

  @BeforeEach
  void start() {
    node.write("pods.yaml", Manifest.pods("app: kubia", pods));
    node.write(
        "service.yaml",
        Manifest.service("kubia", 10, "app: kubia", "{port: 80, targetPort: 8080}"));
    node.startAgent();
  }

  @AfterEach
  void stop() {
    node.agent().kill();
  }

  @Test
  void allFormatsTellTheSame() {
    for (String format : List.of("wide", "json", "yaml")) {
      String out = node.read("services", "-o", format).orFail().out();
      assertThat(out).as(format).contains("kubia", "ClusterIP", "80", "8080");
      for (Family family : Family.values()) {
        assertThat(out).contains(family.service(10));
        pods.forEach(pod -> assertThat(out).contains(pod.address(family)));
      }
    }
    List<String> table = rows(node.read("services").orFail());
    assertThat(table).hasSize(2).isEqualTo(rows(node.read("services", "-o", "table").orFail()));
    assertThat(String.join("", table))
        .contains("kubia", "ClusterIP", Family.IPV4.service(10), Family.IPV6.service(10));
  }

  /** The lines of a table that tell about a Service; the last line is about the snapshot's age. */
  private static List<String> rows(Result result) {
    return result.out().lines().filter(line -> line.startsWith("default")).toList();
  }

  @Test
  void jsonIsOneDocument() {
    assertThat(Json.parse(node.read("services", "-o", "json").orFail().out()).isObject()).isTrue();
  }

  @Test
  void aChangeIsSeen() {
    Programmed before = node.services();
    assertThat(before.backends(Family.IPV4.service(10), 80, "tcp"))
        .containsExactlyInAnyOrder(pods.get(0).ipv4() + ":8080", pods.get(1).ipv4() + ":8080");
    node.write("pods.yaml", Manifest.pods("app: kubia", pods.subList(0, 1)));
    Eventually.soon(
        () ->
            assertThat(node.services().backends(Family.IPV4.service(10), 80, "tcp"))
                .containsExactly(pods.get(0).ipv4() + ":8080"));
    node.write("pods.yaml", "# none\n");
    Eventually.soon(
        () -> assertThat(node.services().backends(Family.IPV6.service(10), 80, "tcp")).isEmpty());
  }

  @Test
  void withoutAnAgentItIsStillWhatIsInTheKernel() {
    Programmed before = node.services();
    node.agent().kill();
    node.write("pods.yaml", "# none\n");
    assertThat(node.services()).isEqualTo(before);
    assertThat(node.read("services", "-o", "wide").orFail().out())
        .contains(pods.get(0).ipv4(), pods.get(1).ipv4());
  }

  @Test
  void withoutADataplaneItFailsInOneLine() {
    Result result =
        node.host()
            .exec(
                Patchbay.binary(),
                "services",
                "--bpf-dir=" + node.bpfDirectory() + "-nothing",
                "--state-dir=" + lab.newDirectory("nothing"));
    assertThat(result.exit()).isEqualTo(1);
    assertThat(result.err().lines()).singleElement().asString().startsWith("patchbay: ");
  }

  @Test
  void statusTellsWhetherAllIsWell() {
    Result healthy = node.read("status").orFail();
    assertThat(healthy.out()).containsPattern("in step +yes");
    node.agent().kill();
    node.read("status").orFail();
    node.cleanup().orFail();
    assertThat(node.read("status").exit()).isEqualTo(1);
  }

  @Test
  void aWrongFormatIsWrongUsage() {
    Result result = node.read("services", "-o", "poetry");
    assertThat(result.exit()).isEqualTo(2);
    assertThat(result.err()).contains("poetry");
  }
}
