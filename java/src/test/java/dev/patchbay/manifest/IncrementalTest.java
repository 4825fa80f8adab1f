// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Problem;
import dev.patchbay.model.ServiceState;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.From;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.Size;

/** Whatever happens to files one after the other, the result is as if all were read at once. */
class IncrementalTest {
  private static final ManifestSettings SETTINGS =
      new ManifestSettings(
          Path.of("unused"),
          null,
          ManifestSettings.DEFAULT_SERVICE_CIDRS,
          PortRange.DEFAULT_NODE_PORTS);

  /** A file gets a content; without documents it is deleted. */
  record Step(String file, List<String> documents) {}

  @Provide
  Arbitrary<Step> steps() {
    Arbitrary<String> name = Arbitraries.of("a", "b", "c");
    Arbitrary<String> label = Arbitraries.of("a", "b");
    // Addresses are fixed, because an assigned one depends on what was before, as it should.
    Arbitrary<String> service =
        name.flatMap(
            n ->
                label.flatMap(
                    l ->
                        Arbitraries.of(
                                "targetPort: http", "targetPort: 7", "name: x", "protocol: UDP")
                            .flatMap(
                                port ->
                                    Arbitraries.of(
                                            "selector: {app: " + l + "}",
                                            "selector: {app: " + l + ", tier: x}",
                                            "selector: {app: "
                                                + l
                                                + "}\n  trafficDistribution: PreferClose",
                                            "type: ClusterIP")
                                        .map(
                                            rest ->
                                                Manifests.service(
                                                    n,
                                                    "clusterIP: None",
                                                    "ports: [{port: 80, " + port + "}]",
                                                    rest)))));
    Arbitrary<String> pod =
        name.flatMap(
            n ->
                label.flatMap(
                    l ->
                        Arbitraries.of("10.1.0.1", "10.1.0.2").map(ip -> Manifests.pod(n, l, ip))));
    Arbitrary<String> slice =
        name.flatMap(
            n ->
                Arbitraries.of("a", "b", "none", "\"\"")
                    .map(s -> Manifests.slice(n, s, "IPv4", "10.2.0.1")));
    Arbitrary<String> endpoints =
        name.map(
            n ->
                "apiVersion: v1\nkind: Endpoints\nmetadata: {name: "
                    + n
                    + "}\nsubsets: [{addresses: [{ip: 10.3.0.1}], ports: [{port: 9}]}]\n");
    Arbitrary<String> node =
        Arbitraries.of("node-1", "node-2")
            .flatMap(
                n ->
                    label.map(
                        zone ->
                            "apiVersion: v1\nkind: Node\nmetadata: {name: "
                                + n
                                + ", labels: {topology.kubernetes.io/zone: "
                                + zone
                                + "}}\n"));
    Arbitrary<List<String>> documents =
        Arbitraries.oneOf(service, pod, slice, endpoints, node).list().ofMaxSize(4);
    return Arbitraries.of("1.yaml", "2.yaml", "3.yaml")
        .flatMap(file -> documents.map(d -> new Step(file, d)));
  }

  @Property(tries = 2000)
  void anyOrderOfChangesLeadsToTheSame(@ForAll @Size(max = 12) List<@From("steps") Step> steps) {
    ObjectTable table = new ObjectTable();
    ControlPlane plane =
        new ControlPlane(SETTINGS.serviceCidrs(), SETTINGS.nodePorts(), Assignments.NONE);
    Map<String, FileVersion> files = new HashMap<>();
    for (Step step : steps) {
      Map<ObjectKey, ServiceState> before = new HashMap<>(plane.states());
      List<Problem> problems = sorted(plane.problems());
      List<Problem> fileProblems = sorted(table.problems());
      long problemChanges = plane.problemChanges();
      long fileProblemChanges = table.problemChanges();
      Set<ObjectKey> changed;
      if (step.documents.isEmpty()) {
        files.remove(step.file);
        changed = plane.apply(table.update(List.of(), List.of(step.file)));
      } else {
        FileVersion version = version(step);
        files.put(step.file, version);
        changed = plane.apply(table.update(List.of(version), List.of()));
      }
      assertThat(changed).isEqualTo(difference(before, plane.states()));
      assertThat(
              plane.problemChanges() != problemChanges || sorted(plane.problems()).equals(problems))
          .isTrue();
      assertThat(
              table.problemChanges() != fileProblemChanges
                  || sorted(table.problems()).equals(fileProblems))
          .isTrue();
    }

    ObjectTable all = new ObjectTable();
    ControlPlane fresh =
        new ControlPlane(SETTINGS.serviceCidrs(), SETTINGS.nodePorts(), Assignments.NONE);
    fresh.apply(all.update(new ArrayList<>(files.values()), List.of()));
    assertThat(plane.states()).isEqualTo(fresh.states());
    assertThat(plane.nodes()).isEqualTo(fresh.nodes());
    assertThat(sorted(plane.problems())).isEqualTo(sorted(fresh.problems()));
    assertThat(sorted(table.problems())).isEqualTo(sorted(all.problems()));
    assertThat(table.size()).isEqualTo(all.size());
  }

  private static FileVersion version(Step step) {
    ObjectTranslator translator = new ObjectTranslator(SETTINGS);
    List<Translation> translations = new ArrayList<>();
    for (String document : step.documents) {
      Translation translation = new Translation();
      try {
        Node root = Objects.requireNonNull(YamlReader.read(document));
        translator.translate(root, new Origin(step.file, translations.size() + 1), translation);
      } catch (SyntaxException e) {
        throw new AssertionError(e);
      }
      translations.add(translation);
    }
    return FileVersion.of(step.file, translations);
  }

  private static Set<ObjectKey> difference(
      Map<ObjectKey, ServiceState> before, Map<ObjectKey, ServiceState> after) {
    Set<ObjectKey> keys = new HashSet<>(before.keySet());
    keys.addAll(after.keySet());
    keys.removeIf(key -> Objects.equals(before.get(key), after.get(key)));
    return keys;
  }

  private static List<Problem> sorted(List<Problem> problems) {
    List<Problem> list = new ArrayList<>(problems);
    Collections.sort(list);
    return list;
  }
}
