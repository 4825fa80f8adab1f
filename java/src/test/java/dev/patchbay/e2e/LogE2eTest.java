// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.Daemon;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Json;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Manifest;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Pod;
import dev.patchbay.lab.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the agent logs: one line for each change, nothing while nothing happens, text or JSON. */
@EndToEnd
class LogE2eTest {
  private static final int CHANGES = 5;

  @AutoClose private final Lab lab = Lab.create();
  private final Node node = lab.addNode("node1");
  private final List<Pod> pods = List.of(node.addPod("a"), node.addPod("b"));

  @AfterEach
  void stop() {
    node.lastAgentIfAny().ifPresent(Daemon::kill);
  }

  private void program(int numberOfPods) {
    node.write("pods.yaml", Manifest.pods("app: kubia", pods.subList(0, numberOfPods)));
  }

  private void start(String... options) {
    program(2);
    node.write("kubia.yaml", Manifest.service("kubia", 10, "app: kubia", "{port: 80}"));
    node.launchAgent(options);
  }

  /** How many change sets with the Service have been applied; the agent has changes of its own. */
  private long applied() {
    return appliedLines().size();
  }

  private List<String> appliedLines() {
    return node.agent()
        .err()
        .lines()
        .filter(
            line ->
                line.contains(" applied services=1 ")
                    || line.contains("\"message\":\"applied\",\"services\":1,"))
        .toList();
  }

  /** Makes changes one after the other; each has its line before the next is made. */
  private void change() {
    for (int i = 0; i < CHANGES; i++) {
      long before = applied();
      program(1 + i % 2);
      Eventually.soon(() -> assertThat(applied()).isGreaterThan(before));
    }
  }

  @Test
  void textHasALineForEachChangeAndNoneWithoutAny() {
    start();
    node.awaitAgent();
    long before = applied();
    change();
    assertThat(applied() - before).isEqualTo(CHANGES);
    assertThat(appliedLines().getLast())
        .matches(
            "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}(Z|[+-]\\d\\d:\\d\\d) INFO applied"
                + " services=1 ranges=\\d+ backends=\\d+ .*failures=0");
    Eventually.soon(
        () -> {
          // What is on its way from the last change, or tells that the machine stood still, is no
          // line that comes all the time.
          String quiet = node.agent().err();
          Eventually.pause(3_000_000_000L);
          assertThat(node.agent().err()).isEqualTo(quiet);
        });
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void jsonHasTheSameKeysInEachLine(boolean byFile) throws IOException {
    Path config =
        Files.writeString(lab.newDirectory("config").resolve("config.yaml"), "log-format: json\n");
    node.write("bad.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: bad}\nspec: 7\n");
    start(byFile ? "--config=" + config : "--log-format=json");
    node.agent().awaitOut("\"message\":\"ready\"", Duration.ofSeconds(60));
    change();
    List<Json> lines = node.agent().err().lines().map(Json::parse).toList();
    for (Json line : lines) {
      assertThat(line.get("time").text())
          .matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z");
      assertThat(line.get("level").text()).isIn("INFO", "WARN");
      assertThat(line.get("logger").text()).startsWith("dev.patchbay.");
      assertThat(line.get("thread").text()).isNotEmpty();
      assertThat(line.get("message").text()).isNotEmpty();
    }
    assertThat(lines)
        .anySatisfy(
            line -> {
              assertThat(line.get("message").text()).isEqualTo("applied");
              assertThat(line.get("services").number()).isEqualTo(1);
              assertThat(line.get("micros").number()).isPositive();
              assertThat(line.get("reread").text()).isEqualTo("false");
            });
    assertThat(lines)
        .anySatisfy(line -> assertThat(line.get("object").text()).isEqualTo("Service default/bad"));
    Json ready = Json.parse(node.agent().out().strip());
    assertThat(ready.get("services").number()).isEqualTo(1);
    assertThat(ready.get("manifests").number()).isEqualTo(3);
    assertThat(ready.get("cgroup").text()).isEqualTo(node.cgroup().toString());
  }

  @Test
  void whatEndsTheAgentIsALineToo() {
    Result result = node.runOnce("--log-format=json", "--api-servers=https://192.0.2.1:6443");
    assertThat(result.exit()).isEqualTo(2);
    Json line = Json.parse(result.err().strip());
    assertThat(line.get("level").text()).isEqualTo("ERROR");
    assertThat(line.get("message").text()).contains("--manifests", "--api-servers");
  }

  @Test
  void theLevelIsSettled() {
    start("--log-level=warn");
    node.awaitAgent();
    assertThat(node.agent().err()).doesNotContain("applied");
  }
}
