// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.Client;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Manifest;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Patchbay;
import dev.patchbay.lab.Pod;
import dev.patchbay.lab.Result;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Too much of everything, and files that are not there. */
@EndToEnd
class HugeInputE2eTest {
  private static final long HUGE_BYTES = 200L << 20;

  @AutoClose private final Lab lab = Lab.create();
  private final Node node = lab.addNode("node1");
  private final List<Pod> pods = node.addServers("a", "b");
  private final Client client = node.addPod("client").client();
  private final Path good = node.manifests();

  @BeforeEach
  void fresh() {
    node.useManifests(lab.newDirectory("manifests"));
    node.write("good.yaml", Manifest.serverService("good", 10, "app: good"));
    node.write("pods.yaml", Manifest.pods("app: good", pods.subList(0, 1)));
  }

  @AfterEach
  void stop() {
    node.lastAgentIfAny().ifPresent(agent -> agent.kill());
    node.cleanup();
    Lab.deleteTree(node.manifests());
    node.useManifests(good);
  }

  private void theRestWorks() {
    Checks.meetsSoon(client, Family.IPV4.service(10), "a");
    node.write("pods.yaml", Manifest.pods("app: good", pods.subList(1, 2)));
    Checks.meetsSoon(client, Family.IPV4.service(10), "b");
    assertThat(node.agent().isAlive()).isTrue();
    assertThat(node.agent().err()).doesNotContain("OutOfMemory", "\tat ");
  }

  @Test
  void aFileOfTwoHundredMegabytesIsRefusedByName() throws IOException {
    Path file = node.manifests().resolve(".huge.new");
    String line = "# " + "x".repeat(1021) + "\n";
    try (BufferedWriter writer = Files.newBufferedWriter(file)) {
      for (long written = 0; written < HUGE_BYTES; written += line.length()) {
        writer.write(line);
      }
    }
    Files.move(file, node.manifests().resolve("huge.yaml"));
    Result result = node.validate();
    assertThat(result.exit()).isEqualTo(1);
    assertThat(result.all()).contains("huge.yaml").doesNotContain("OutOfMemory", "\tat ");
    node.startAgent();
    theRestWorks();
  }

  @Test
  void moreServicePortsThanTheMapsHoldAreRefusedByName() {
    StringBuilder text = new StringBuilder();
    int services = 700;
    int ports = 100;
    for (int i = 0; i < services; i++) {
      text.append("---\napiVersion: v1\nkind: Service\nmetadata: {name: zz-many-")
          .append(i)
          .append("}\nspec:\n  selector: {app: good}\n  ports:\n");
      for (int port = 1; port <= ports; port++) {
        text.append("  - {name: p").append(port).append(", port: ").append(port).append("}\n");
      }
    }
    node.write("many.yaml", text.toString());
    node.startAgent();
    theRestWorks();
    assertThat(node.agent().err()).containsPattern("default/zz-many-\\d+.*services is full");
    Eventually.soon(
        () -> assertThat(node.read("status").out()).containsPattern("\\d+ Service ports refused"));
    node.delete("many.yaml");
    Eventually.soon(() -> assertThat(node.read("status").exit()).isZero());
  }

  @Test
  void moreBackendsThanTheMapHoldsAreRefusedByName() {
    StringBuilder text = new StringBuilder();
    int services = 30;
    int endpoints = 10_000;
    text.append("---\napiVersion: v1\nkind: EndpointSlice\n".replace("v1", "discovery.k8s.io/v1"))
        .append("metadata: {name: zz-NAME-1, labels: {kubernetes.io/service-name: zz-NAME}}\n")
        .append("addressType: IPv4\nports: [{port: 9000}]\nendpoints:\n");
    for (int i = 0; i < endpoints; i++) {
      text.append("- {addresses: [10.250.%d.%d]}%n".formatted(i / 250, 1 + i % 250));
    }
    for (int i = 0; i < services; i++) {
      node.write(
          "many-" + i + ".yaml",
          """
          apiVersion: v1
          kind: Service
          metadata: {name: zz-NAME}
          spec:
            ports: [{port: 90, targetPort: 9000}]
          """
                  .replace("NAME", "big-" + i)
              + text.toString().replace("NAME", "big-" + i));
    }
    node.startAgent();
    theRestWorks();
    assertThat(node.agent().err()).containsPattern("default/zz-big-\\d+.*backends is full");
    Eventually.soon(
        () -> assertThat(node.read("status").out()).containsPattern("\\d+ Service ports refused"));
  }

  @Test
  void anUnreadableFileIsNamed() throws IOException {
    // Root may read anything; a link to itself cannot be opened by anybody.
    Path loop = node.manifests().resolve("loop.yaml");
    Files.createSymbolicLink(loop, loop);
    Result result = node.validate();
    assertThat(result.exit()).isEqualTo(1);
    assertThat(result.all()).contains("loop.yaml").doesNotContain("\tat ");
    node.startAgent();
    theRestWorks();
  }

  @Test
  void anEmptyDirectoryIsNamedAndFilledLater() {
    node.useManifests(lab.newDirectory("empty"));
    Result result = node.validate();
    assertThat(result.exit()).isEqualTo(1);
    assertThat(result.all()).contains(node.manifests().toString(), "no manifests");
    node.startAgent();
    assertThat(node.services().rows()).isEmpty();
    node.write("good.yaml", Manifest.serverService("good", 10, "app: good"));
    node.write("pods.yaml", Manifest.pods("app: good", pods.subList(0, 1)));
    theRestWorks();
  }

  @Test
  void aMissingDirectoryFailsInOneLine() {
    Path missing = lab.directory().resolve("missing");
    for (Result result :
        List.of(
            node.host().exec(Patchbay.binary(), "validate", "--manifests=" + missing),
            node.host()
                .exec(
                    Patchbay.binary(),
                    "run",
                    "--once",
                    "--manifests=" + missing,
                    "--cgroup=" + node.cgroup(),
                    "--bpf-dir=" + node.bpfDirectory(),
                    "--state-dir=" + node.stateDirectory(),
                    "--devices=none"))) {
      assertThat(result.exit()).as(result.toString()).isEqualTo(1);
      assertThat(result.err().lines())
          .singleElement()
          .asString()
          .startsWith("patchbay: ")
          .contains(missing.toString());
    }
  }

  @Test
  void anUnknownKindIsNotedAndIgnored() {
    node.write(
        "other.yaml",
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: kubia}
        spec: {replicas: 3}
        """);
    Result result = node.validate();
    assertThat(result.exit()).isZero();
    assertThat(result.all()).contains("other.yaml", "Deployment");
    node.startAgent();
    theRestWorks();
  }
}
