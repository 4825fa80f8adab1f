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
import dev.patchbay.lab.Result;
import dev.patchbay.testkit.JsonSchemas;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What commands that read print: as their schemas say, and no wider than a terminal. */
@EndToEnd
class SeeingE2eTest {
  private static final String ESCAPE = "\u001b";

  @AutoClose private final Lab lab = Lab.create();
  private final Node node = lab.addNode("node1");
  private final List<Pod> pods = node.addServers("kubia-a", "kubia-b", "kubia-c");

  @BeforeAll
  void start() {
    node.write(
        "pods.yaml",
        Manifest.pods("app: kubia", pods.subList(0, 2))
            + "---\n"
            + Manifest.of(Manifest.pod(pods.get(2)).label("app: kubia").notReady()));
    node.write(
        "good.yaml", Manifest.service("good", 10, "app: kubia", "{port: 80, targetPort: 8080}"));
    node.write(
        "empty.yaml", Manifest.service("empty", 11, "app: none", "{port: 80, targetPort: 8080}"));
    node.write(
        "ports.yaml",
        """
        apiVersion: v1
        kind: Service
        metadata: {name: ports}
        spec:
          type: NodePort
          clusterIP: 10.96.0.12
          sessionAffinity: ClientIP
          selector: {app: kubia}
          ports:
          - {name: http, port: 80, targetPort: 8080, nodePort: 30080}
          - {name: dns, port: 53, targetPort: 5000, protocol: UDP, nodePort: 30053}
        """);
    node.write("twice.yaml", Manifest.service("twice", 10, "app: kubia", "{port: 80}"));
    node.startAgent();
    Eventually.soon(() -> assertThat(node.services().backends("10.96.0.10", 80, "tcp")).hasSize(2));
  }

  private String schema(String command) {
    return node.host().exec(Patchbay.binary(), "schema", command).orFail().out();
  }

  private void isAsDescribed(String command, String json) {
    assertThat(JsonSchemas.violations(schema(command), json)).as("%s: %s", command, json).isEmpty();
  }

  // --- Schemas
  // ------------------------------------------------------------------------------------

  @Test
  void servicesAndStatusAreAsTheirSchemasSay() {
    String services = node.read("services", "-o", "json").orFail().out();
    assertThat(Json.parse(services).get("services").elements()).hasSizeGreaterThan(6);
    isAsDescribed("services", services);
    isAsDescribed("status", node.read("status", "-o", "json").orFail().out());
    isAsDescribed(
        "validate",
        node.host()
            .exec(Patchbay.binary(), "validate", "--manifests=" + node.manifests(), "-o", "json")
            .out());
    isAsDescribed(
        "version", node.host().exec(Patchbay.binary(), "version", "-o", "json").orFail().out());
  }

  @Test
  void withoutASnapshotToo() {
    for (String command : List.of("services", "status")) {
      isAsDescribed(command, unnamed(command).out());
    }
    for (String destination : List.of("10.96.0.10:80", "10.96.0.10:81", "198.51.100.9:80")) {
      isAsDescribed("explain", unnamed("explain", destination).orFail().out());
    }
  }

  private Result unnamed(String... command) {
    List<String> line = new ArrayList<>(List.of(Patchbay.binary()));
    line.addAll(List.of(command));
    line.addAll(
        List.of(
            "-o",
            "json",
            "--bpf-dir=" + node.bpfDirectory(),
            "--state-dir=" + lab.newDirectory("nothing")));
    return node.host().exec(line.toArray(String[]::new));
  }

  @ParameterizedTest
  @CsvSource({
    "10.96.0.10:80, Balanced",
    "10.96.0.11:80, Refused",
    "10.96.0.10:81, Refused",
    "10.96.0.12:53/udp, Balanced",
    "127.0.0.1:30080, Balanced",
    "127.0.0.1:80, NotAService",
    "10.96.0.77:80, NotAService",
    "198.51.100.9:443, NotAService",
  })
  void explanationsAreAsTheirSchemaSays(String destination, String verdict) {
    String json = node.read("explain", destination, "-o", "json").orFail().out();
    isAsDescribed("explain", json);
    assertThat(Json.parse(json).get("verdict").text()).isEqualTo(verdict);
  }

  // --- Near misses
  // --------------------------------------------------------------------------------

  private List<String> kinds(String destination) {
    return Json.parse(node.read("explain", destination, "-o", "json").orFail().out())
        .find("nearMisses")
        .map(Json::elements)
        .orElse(List.of())
        .stream()
        .map(miss -> miss.get("kind").text())
        .distinct()
        .toList();
  }

  @Test
  void whatMayHaveBeenMeantIsNamed() {
    assertThat(kinds("10.96.0.12:8080")).containsExactly("TARGET_PORT", "OTHER_PORT");
    assertThat(kinds("10.96.0.12:53")).containsExactly("OTHER_PROTOCOL", "OTHER_PORT");
    assertThat(kinds(pods.getFirst().ipv4() + ":8080")).containsExactly("ENDPOINT");
    assertThat(kinds("127.0.0.1:53")).containsExactly("NO_SUCH_NODE_PORT");
    assertThat(kinds("127.0.0.1:53/udp")).containsExactly("NO_SUCH_NODE_PORT", "PORT_OF_SERVICE");
    assertThat(kinds("198.51.100.9:30080")).containsExactly("NODE_PORT_ELSEWHERE");
    assertThat(kinds("10.96.0.13:80")).contains("SIMILAR_ADDRESS", "UNASSIGNED");
    assertThat(kinds("198.51.100.9:443")).isEmpty();
    assertThat(kinds("10.96.0.10:80")).isEmpty();
    assertThat(node.read("explain", pods.getFirst().ipv4() + ":8080").orFail().out())
        .contains("is no Service address", "endpoint of default/good", "Pod kubia-a");
  }

  // --- Terminals
  // ----------------------------------------------------------------------------------

  private Result onTerminal(int columns, String... command) {
    return onTerminal(columns, List.of(), command);
  }

  private Result onTerminal(int columns, List<String> environment, String... command) {
    List<String> line = new ArrayList<>(List.of("env", "-u", "COLUMNS", "-u", "NO_COLOR"));
    line.add("TERM=xterm");
    line.addAll(environment);
    line.addAll(List.of("/usr/bin/python3", Pod.script("terminal.py"), Integer.toString(columns)));
    line.add(Patchbay.binary());
    line.addAll(List.of(command));
    if (!command[0].equals("validate")) {
      line.add("--bpf-dir=" + node.bpfDirectory());
      line.add("--state-dir=" + node.stateDirectory());
    }
    return node.host().exec(line.toArray(String[]::new));
  }

  private static String plain(Result result) {
    return result.out().replaceAll(ESCAPE + "\\[[0-9]*m", "");
  }

  @ParameterizedTest
  @ValueSource(ints = {50, 80, 120})
  void linesFitTheTerminalAndNoAddressIsBroken(int columns) {
    List<String> addresses = new ArrayList<>();
    for (Family family : Family.values()) {
      addresses.add(Family.hostPort(family.service(10), 80));
      addresses.add(Family.hostPort(pods.getFirst().address(family), 8080));
    }
    for (String[] command :
        List.of(
            new String[] {"services", "-o", "wide"},
            new String[] {"services"},
            new String[] {"status"},
            new String[] {"explain", "10.96.0.10:80"},
            new String[] {"explain", "10.96.0.13:80"},
            new String[] {"validate", "--manifests=" + node.manifests()})) {
      String text = plain(onTerminal(columns, command));
      assertThat(text.lines()).as("%s", List.of(command)).hasSizeGreaterThan(1);
      assertThat(text.lines())
          .as("%s: %s", List.of(command), text)
          .allSatisfy(line -> assertThat(fits(line, columns)).isTrue());
      if (command[0].equals("services")) {
        addresses.forEach(address -> assertThat(text).contains(address));
      }
    }
  }

  /** A word that is longer than a line, such as a path, is not broken either. */
  private static boolean fits(String line, int columns) {
    return line.length() <= columns || line.strip().matches("\\S{" + (columns / 2) + ",}");
  }

  @Test
  void coloursAndWidthAreThoseOfTheTerminalOnly() {
    assertThat(onTerminal(80, "services").out()).contains(ESCAPE + "[1m");
    assertThat(onTerminal(80, "explain", "10.96.0.11:80").out()).contains(ESCAPE + "[31m");
    assertThat(onTerminal(80, List.of("NO_COLOR=1"), "services").out()).doesNotContain(ESCAPE);
    assertThat(onTerminal(80, List.of("COLUMNS=300"), "services", "-o", "wide").out().lines())
        .anySatisfy(line -> assertThat(line.length()).isGreaterThan(100));
    Result piped = node.read("services", "-o", "wide");
    assertThat(piped.out()).doesNotContain(ESCAPE);
    assertThat(piped.out().lines())
        .anySatisfy(
            line ->
                assertThat(line)
                    .contains(
                        "10.96.0.10:80/tcp", pods.get(0).ipv4() + ":8080", pods.get(1).ipv4()));
    assertThat(onTerminal(80, "services", "-o", "json").out()).doesNotContain(ESCAPE);
  }
}
