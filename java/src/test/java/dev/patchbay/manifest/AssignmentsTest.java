// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import static dev.patchbay.manifest.Manifests.clusterIps;
import static dev.patchbay.manifest.Manifests.problems;
import static dev.patchbay.manifest.Manifests.service;
import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.model.ServicePort;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Cluster IPs over restarts. */
class AssignmentsTest {
  @TempDir Path root;
  private Manifests manifests;

  @BeforeEach
  void create() {
    manifests = new Manifests(root);
  }

  private static String open(String name) {
    return service(name, "ports: [{port: 80}]");
  }

  private Path file() {
    return manifests.state().resolve(AllocationFile.NAME);
  }

  @Test
  void addressesStayOverRestartsAndDoNotDependOnFiles() {
    Told first = manifests.write("a.yaml", open("x"), open("y")).load();
    Told again = manifests.load();
    assertThat(clusterIps(again, "x")).isEqualTo(clusterIps(first, "x"));

    Told elsewhere =
        new Manifests(root.resolve("other"))
            .write("z.yaml", open("y"))
            .write("b.yaml", open("x"))
            .load();
    assertThat(clusterIps(elsewhere, "x")).isEqualTo(clusterIps(first, "x"));
    assertThat(clusterIps(elsewhere, "y")).isEqualTo(clusterIps(first, "y"));
  }

  @Test
  void anAddressOnceAssignedIsNotLostToADemandAfterARestart() {
    List<String> assigned = clusterIps(manifests.write("a.yaml", open("x")).load(), "x");
    manifests.write(
        "0.yaml", service("thief", "clusterIP: " + assigned.getFirst(), "ports: [{port: 80}]"));
    Told loaded = manifests.load();
    assertThat(clusterIps(loaded, "x")).isEqualTo(assigned);
    assertThat(clusterIps(loaded, "thief")).isEmpty();
    assertThat(problems(loaded))
        .containsExactly(
            "ERROR 0.yaml, document 1: Service default/thief: spec.clusterIP: "
                + assigned.getFirst()
                + " is taken by Service default/x");
    assertThat(Manifests.state(loaded, "thief").notes())
        .contains("cluster IP: " + assigned.getFirst() + " is taken by Service default/x");
  }

  @Test
  void theFileIsReadableAndHasNoTrace() throws IOException {
    manifests
        .write(
            "a.yaml",
            service("x", "clusterIPs: [10.96.0.7, \"fd00:10:96::7\"]", "ports: [{port: 80}]"))
        .load();
    assertThat(Files.readString(file()))
        .isEqualTo(
            """
            {"version":1,"clusterIPs":{
            "default/x":["10.96.0.7","fd00:10:96::7"]},"nodePorts":{}}
            """);
    try (var entries = Files.list(manifests.state())) {
      assertThat(entries).containsExactly(file());
    }
  }

  @Test
  void aCorruptFileIsMovedAsideAndReported() throws IOException {
    List<String> assigned = clusterIps(manifests.write("a.yaml", open("x")).load(), "x");
    Files.writeString(file(), "{\"version\": 1, \"clusterIPs\": {\"default/x\": [\"10.96.1");
    Told loaded = manifests.load();
    assertThat(clusterIps(loaded, "x")).isEqualTo(assigned);
    Path aside = manifests.state().resolve("allocations.json.corrupt");
    assertThat(problems(loaded)).hasSize(1);
    assertThat(problems(loaded).getFirst())
        .startsWith("WARNING " + file() + " is not valid JSON: ")
        .endsWith("moved to " + aside + ", and all cluster IPs and node ports are assigned anew");
    assertThat(aside).exists();
    assertThat(problems(manifests.load())).isEmpty();
  }

  @Test
  void aFileOfAnotherVersionIsNotMisread() throws IOException {
    manifests.write("a.yaml", open("x"));
    Files.createDirectories(manifests.state());
    Files.writeString(file(), "{\"version\": 2, \"clusterIPs\": {}}");
    assertThat(problems(manifests.load()))
        .hasSize(1)
        .allMatch(p -> p.contains("has version 2, not 1"));
  }

  @Test
  void aStateDirectoryThatCannotBeWrittenIsReported() throws IOException {
    manifests.write("a.yaml", open("x"));
    Files.writeString(manifests.state(), "a file");
    Told loaded = manifests.load();
    assertThat(clusterIps(loaded, "x")).hasSize(1);
    assertThat(problems(loaded))
        .hasSize(1)
        .allMatch(p -> p.startsWith("ERROR " + file() + " cannot be written: "));
  }

  private static String nodePortService(String name, String... more) {
    List<String> spec = new ArrayList<>(List.of(more));
    spec.add("type: NodePort");
    spec.add(
        "ports: [{port: 80, name: web}, {port: 53, name: t}, {port: 53, name: u, protocol: UDP}]");
    return service(name, spec.toArray(String[]::new));
  }

  private static List<Integer> nodePorts(Told told, String name) {
    return Manifests.state(told, name).service().ports().stream()
        .map(ServicePort::nodePort)
        .toList();
  }

  @Test
  void nodePortsStayOverRestartsAndDoNotDependOnFiles() {
    Told first = manifests.write("a.yaml", nodePortService("x"), nodePortService("y")).load();
    assertThat(nodePorts(first, "x")).hasSize(3).allMatch(n -> n >= 30000 && n <= 32767);
    assertThat(nodePorts(first, "x")).doesNotContainAnyElementsOf(nodePorts(first, "y"));
    assertThat(nodePorts(manifests.load(), "x")).isEqualTo(nodePorts(first, "x"));

    Told elsewhere =
        new Manifests(root.resolve("other"))
            .write("z.yaml", nodePortService("y"))
            .write("b.yaml", nodePortService("x"))
            .load();
    assertThat(nodePorts(elsewhere, "x")).isEqualTo(nodePorts(first, "x"));
    assertThat(nodePorts(elsewhere, "y")).isEqualTo(nodePorts(first, "y"));
  }

  @Test
  void aNodePortOnceAssignedIsNotLostToADemandAfterARestart() {
    List<Integer> assigned = nodePorts(manifests.write("a.yaml", nodePortService("x")).load(), "x");
    manifests.write(
        "0.yaml",
        service(
            "thief",
            "type: NodePort",
            "ports: [{port: 80, nodePort: " + assigned.getFirst() + "}]"));
    Told told = manifests.load();
    assertThat(nodePorts(told, "x")).isEqualTo(assigned);
    assertThat(nodePorts(told, "thief")).containsExactly(0);
    assertThat(problems(told))
        .containsExactly(
            "ERROR 0.yaml, document 1: Service default/thief: spec.ports[0].nodePort: "
                + assigned.getFirst()
                + " is taken by Service default/x");
  }

  @Test
  void anotherTypeReleasesNodePorts() {
    String web = "ports: [{port: 80, nodePort: 30080}]";
    manifests.write("a.yaml", service("x", "type: NodePort", web)).load();
    manifests.write("a.yaml", service("x", "type: ClusterIP", "ports: [{port: 80}]"));
    Told released = manifests.write("b.yaml", service("y", "type: NodePort", web)).load();
    assertThat(problems(released)).isEmpty();
    assertThat(nodePorts(released, "x")).containsExactly(0);
    assertThat(nodePorts(released, "y")).containsExactly(30080);
  }

  @Test
  void aRangeOfNodePortsThatIsUsedUpIsReported() {
    ManifestSettings settings =
        new ManifestSettings(
            manifests.directory(),
            null,
            ManifestSettings.DEFAULT_SERVICE_CIDRS,
            new PortRange(30000, 30001));
    manifests.write("a.yaml", nodePortService("x"), nodePortService("y"));
    Told told;
    try (ManifestSource source = new ManifestSource(settings)) {
      told = Told.NOTHING.then(source.load());
    } catch (ManifestDirectoryException e) {
      throw new AssertionError(e);
    }
    assertThat(nodePorts(told, "x")).containsOnly(30000, 30001);
    assertThat(nodePorts(told, "y")).containsOnly(0);
    assertThat(problems(told))
        .containsExactly(
            "ERROR a.yaml, document 2: Service default/y: spec.ports[0].nodePort: no number is left"
                + " in the range of node ports",
            "ERROR a.yaml, document 2: Service default/y: spec.ports[1].nodePort: no number is left"
                + " in the range of node ports");
  }

  @Test
  void theFileHasNodePorts() throws IOException {
    manifests
        .write(
            "a.yaml",
            service(
                "x",
                "clusterIP: 10.96.0.7",
                "type: LoadBalancer",
                "externalTrafficPolicy: Local",
                "healthCheckNodePort: 31000",
                "ports: [{port: 80, name: web, nodePort: 30080}]"),
            service(
                "y",
                "clusterIP: 10.96.0.8",
                "type: NodePort",
                "ports: [{port: 80, nodePort: 30081}]"))
        .load();
    String text = Files.readString(file());
    assertThat(text)
        .isEqualTo(
            """
            {"version":1,"clusterIPs":{
            "default/x":["10.96.0.7"]
            ,"default/y":["10.96.0.8"]},"nodePorts":{
            "default/x":{"web:80":30080,"healthCheck":31000}
            ,"default/y":{":80":30081}}}
            """);
    AllocationFile read = new AllocationFile(manifests.state());
    Assignments assignments = read.read().assignments();
    assertThat(assignments.nodePorts())
        .containsOnly(
            Map.entry(
                Manifests.key("x"),
                new NodePorts(List.of(new NodePorts.Entry("web", 80, 30080)), 31000)),
            Map.entry(
                Manifests.key("y"), new NodePorts(List.of(new NodePorts.Entry("", 80, 30081)), 0)));
    read.write(assignments);
    assertThat(Files.readString(file())).isEqualTo(text);
  }

  @Test
  void aFileWithoutNodePortsIsReadAsEver() throws IOException {
    manifests.write("a.yaml", open("x"));
    Files.createDirectories(manifests.state());
    Files.writeString(file(), "{\"version\": 1, \"clusterIPs\": {\"default/x\": [\"10.96.9.9\"]}}");
    Told told = manifests.load();
    assertThat(problems(told)).isEmpty();
    assertThat(clusterIps(told, "x")).containsExactly("10.96.9.9");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "7 | has an integer in place of node ports",
        "{\"default/x\": [30080]} | has a list in place of node ports",
        "{\"x\": {\":80\": 30080}} | has the key \"x\"",
        "{\"default/x\": {\":80\": 0}} | has the node port \":80\"",
        "{\"default/x\": {\":80\": 65536}} | has the node port \":80\"",
        "{\"default/x\": {\"web\": 30080}} | has the node port \"web\"",
        "{\"default/x\": {\"web:0\": 30080}} | has the node port \"web:0\""
      })
  void aFileWithWrongNodePortsIsMovedAside(String nodePorts, String reason) throws IOException {
    manifests.write("a.yaml", open("x"));
    Files.createDirectories(manifests.state());
    Files.writeString(
        file(), "{\"version\": 1, \"clusterIPs\": {}, \"nodePorts\": " + nodePorts + "}");
    assertThat(problems(manifests.load()))
        .hasSize(1)
        .allMatch(p -> p.startsWith("WARNING " + file() + " " + reason));
  }
}
