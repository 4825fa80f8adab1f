// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.deploy.Dockerfile;
import dev.patchbay.lab.Client;
import dev.patchbay.lab.Client.Kind;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Manifest;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Patchbay;
import dev.patchbay.lab.Pod;
import dev.patchbay.lab.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The Java runtime that the container recipe links, made here with the same arguments. */
@EndToEnd
class BundledRuntimeE2eTest {
  private static final Path JDK = Path.of(System.getProperty("java.home"));

  /**
   * Modules that jackson-databind and SnakeYAML name in classes for those who use them: XML, SQL
   * dates and JavaBeans. {@link #theAgentFollowsAClusterWithIt} shows that they are not missed.
   */
  private static final List<String> SPARED = List.of("java.desktop", "java.sql");

  @AutoClose private final Lab lab = Lab.create();
  private final Node node = lab.addNode("node1");
  private final Client client = node.addPod("client").client();
  private final Path runtime = lab.directory().resolve("jre");

  @BeforeAll
  void link() {
    List<String> command = new ArrayList<>(List.of(JDK.resolve("bin/jlink").toString()));
    for (String word : Dockerfile.jlinkArguments()) {
      command.add(word.equals("/opt/patchbay/jre") ? runtime.toString() : word);
    }
    node.host().exec(command.toArray(String[]::new)).orFail();
    node.write("service.yaml", Manifest.serverService("kubia", 10, "app: kubia"));
    node.write("pods.yaml", Manifest.pods("app: kubia", node.addServers("a", "b")));
  }

  @Test
  void itHasTheModulesThatTheJarsUse() throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                JDK.resolve("bin/jdeps").toString(),
                "--ignore-missing-deps",
                "--multi-release=25",
                "--print-module-deps"));
    try (Stream<Path> jars = Files.list(Patchbay.home().resolve("lib"))) {
      jars.map(Path::toString).filter(name -> name.endsWith(".jar")).forEach(command::add);
    }
    List<String> used =
        List.of(
            node.host()
                .exec(command.toArray(String[]::new))
                .orFail()
                .out()
                .lines()
                .reduce((a, b) -> b)
                .orElse("")
                .strip()
                .split(",", -1));
    assertThat(used).contains("java.base");
    List<String> present =
        node.host()
            .exec(runtime.resolve("bin/java").toString(), "--list-modules")
            .orFail()
            .out()
            .lines()
            .map(line -> line.replaceFirst("@.*", ""))
            .toList();
    assertThat(present)
        .containsAll(used.stream().filter(module -> !SPARED.contains(module)).toList())
        .doesNotContainAnyElementsOf(SPARED);
  }

  /** Runs the agent to its end with the runtime. */
  private Result runOnce(List<String> arguments) {
    List<String> command =
        new ArrayList<>(List.of("env", "JAVA_HOME=" + runtime, Patchbay.binary()));
    command.addAll(arguments);
    return node.host().exec(command.toArray(String[]::new)).orFail();
  }

  @Test
  void theAgentRunsWithIt() {
    Result result = runOnce(node.runArguments("--once"));
    assertThat(result.out()).containsPattern("\\bms=\\d+");
    Checks.meets(client, Kind.TCP, Family.IPV4.service(10), "a", "b");
    node.cleanup().orFail();
  }

  @Test
  void theAgentFollowsAClusterWithIt() throws IOException {
    node.host()
        .start("/usr/bin/python3", Pod.script("empty_api.py"), "8001")
        .awaitOut("^ready$", Duration.ofSeconds(20));
    Path kubeconfig =
        Files.writeString(
            lab.directory().resolve("kubeconfig"),
            """
            apiVersion: v1
            kind: Config
            clusters: [{name: c, cluster: {server: "http://127.0.0.1:8001"}}]
            users: [{name: u, user: {token: t}}]
            contexts: [{name: x, context: {cluster: c, user: u}}]
            current-context: x
            """);
    List<String> arguments =
        new ArrayList<>(
            node.runArguments("--once").stream()
                .filter(argument -> !argument.startsWith("--manifests="))
                .toList());
    arguments.add("--kubeconfig=" + kubeconfig);
    assertThat(runOnce(arguments).out()).contains("services=0", "api=http://127.0.0.1:8001");
    node.cleanup().orFail();
  }
}
