// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import static dev.patchbay.manifest.Manifests.clusterIps;
import static dev.patchbay.manifest.Manifests.problems;
import static dev.patchbay.manifest.Manifests.service;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
}
