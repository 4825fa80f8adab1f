// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import static dev.patchbay.manifest.Manifests.key;
import static dev.patchbay.manifest.Manifests.problems;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Lists, JSON, and several files. */
class ListsTest {
  @TempDir Path root;
  private Manifests manifests;

  @BeforeEach
  void create() {
    manifests = new Manifests(root);
  }

  @Test
  void aListOfAnything() {
    Told loaded =
        manifests
            .write(
                "a.yaml",
                """
                apiVersion: v1
                kind: List
                items:
                - apiVersion: v1
                  kind: Service
                  metadata: {name: a}
                  spec: {ports: [{port: 80}]}
                - apiVersion: v1
                  kind: Service
                  metadata: {name: b}
                  spec: {ports: [{port: 0}]}
                - apiVersion: v1
                  kind: Secret
                  metadata: {name: c}
                """)
            .load();
    assertThat(loaded.snapshot().services()).containsOnlyKeys(key("a"));
    assertThat(problems(loaded))
        .containsExactly(
            "NOTE a.yaml, document 1: Secret c: items[2].kind: Secret is skipped; used are"
                + " Service, Endpoints, EndpointSlice, Pod and Node",
            "ERROR a.yaml, document 1: Service default/b: items[1].spec.ports[0].port: 0 is out of"
                + " range; allowed are 1 to 65535 (line 11)");
  }

  @Test
  void itemsOfATypedListSayNeitherKindNorVersion() {
    Told loaded =
        manifests
            .write(
                "a.yaml",
                """
                apiVersion: v1
                kind: ServiceList
                metadata: {resourceVersion: "1"}
                items:
                - metadata: {name: a}
                  spec: {ports: [{port: 80}]}
                """)
            .load();
    assertThat(loaded.snapshot().services()).containsOnlyKeys(key("a"));
    assertThat(problems(loaded)).isEmpty();
  }

  @Test
  void aListOfOtherThingsIsOneNote() {
    Told loaded =
        manifests.write("a.yaml", "apiVersion: v1\nkind: ConfigMapList\nitems: [{}, {}]\n").load();
    assertThat(problems(loaded)).hasSize(1).allMatch(p -> p.startsWith("NOTE"));
  }

  @Test
  void jsonIsReadLikeYaml() {
    Told loaded =
        manifests
            .write(
                "a.json",
                """
                {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a", "labels": null},
                 "spec": {"ports": [{"port": 80, "targetPort": "http"}], "selector": {"x": "1"}}}
                {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "b"},
                 "spec": {"ports": [{"port": "80"}]}}
                """)
            .load();
    assertThat(loaded.snapshot().services()).containsOnlyKeys(key("a"));
    assertThat(problems(loaded))
        .contains(
            "ERROR a.json, document 2: Service default/b: spec.ports[0].port: \"80\" is a string,"
                + " not an integer from 1 to 65535; write it without quotes (line 4)");
  }

  @Test
  void aKeyTwiceInJson() {
    assertThat(problems(manifests.write("a.json", "{\"a\": 1,\n\"a\": 2}").load()))
        .containsExactly("ERROR a.json, document 1: has the key \"a\" twice (line 2)");
  }

  @Test
  void onlyManifestsAreRead() {
    Told loaded =
        manifests
            .write("a.yaml", Manifests.service("a", "ports: [{port: 1}]"))
            .write("b.yml", Manifests.service("b", "ports: [{port: 1}]"))
            .write(".hidden.yaml", Manifests.service("c", "ports: [{port: 1}]"))
            .write("notes.txt", "kind: [")
            .write("a.yaml~", "kind: [")
            .load();
    assertThat(loaded.snapshot().services()).containsOnlyKeys(key("a"), key("b"));
    assertThat(loaded.files()).isEqualTo(2);
    assertThat(problems(loaded)).isEmpty();
  }

  @Test
  void aByteOrderMarkIsTaken() {
    Told loaded =
        manifests.write("a.yaml", "\uFEFF" + Manifests.service("a", "ports: [{port: 1}]")).load();
    assertThat(loaded.snapshot().services()).containsOnlyKeys(key("a"));
  }
}
