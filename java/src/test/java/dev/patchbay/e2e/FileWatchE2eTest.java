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
import dev.patchbay.lab.Outcome;
import dev.patchbay.lab.Pod;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * However a file is changed, the change takes effect within a second, if the machine is not busy
 * with something else; in any case sooner than the agent looks at files without being told.
 */
@EndToEnd
class FileWatchE2eTest {
  private static final String LABEL = "app: watched";

  @AutoClose private final Lab lab = Lab.create();
  private final Node node = lab.addNode("node1");
  private final List<Pod> pods = node.addServers("a", "b");
  private final Client client = node.addPod("client").client();
  private final Path elsewhere = lab.newDirectory("elsewhere");
  private final Path pod = node.manifests().resolve("pod.yaml");

  @BeforeAll
  void start() {
    node.write("service.yaml", Manifest.serverService("watched", 10, LABEL));
    node.startAgent();
  }

  private String only(String name) {
    return Manifest.pods(
        LABEL, pods.stream().filter(candidate -> candidate.name().equals(name)).toList());
  }

  private void meets(String... outcomes) {
    Checks.meetsInTime(client, Family.IPV4.service(10), outcomes);
  }

  private void startWith(String name) throws IOException {
    Files.deleteIfExists(pod);
    node.write("pod.yaml", only(name));
    Checks.meetsSoon(client, Family.IPV4.service(10), name);
  }

  @Test
  void aFileIsAddedAndDeleted() throws IOException {
    startWith("a");
    Files.writeString(node.manifests().resolve("more.yml"), only("b"));
    meets("a", "b");
    Files.delete(node.manifests().resolve("more.yml"));
    meets("a");
    Files.delete(pod);
    meets(Outcome.REFUSED);
    Files.writeString(pod, only("b"));
    meets("b");
  }

  @Test
  void aFileIsOverwrittenInPlace() throws IOException {
    startWith("a");
    Files.writeString(pod, only("b"));
    meets("b");
    Files.writeString(pod, only("a"));
    meets("a");
  }

  @Test
  void anEditorRenamesItsCopyOverTheFile() throws IOException {
    startWith("a");
    Path copy = node.manifests().resolve(".pod.yaml.swp");
    Files.writeString(copy, only("b"));
    Files.move(copy, pod, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    meets("b");
  }

  @Test
  void anEditorKeepsTheOldFileAsBackup() throws IOException {
    startWith("a");
    Path backup = node.manifests().resolve("pod.yaml~");
    Files.move(pod, backup, StandardCopyOption.REPLACE_EXISTING);
    Files.writeString(pod, only("b"));
    meets("b");
    Files.delete(backup);
    meets("b");
  }

  @Test
  void aFileIsMovedInAndOut() throws IOException {
    startWith("a");
    Path outside = elsewhere.resolve("more.yaml");
    Path inside = node.manifests().resolve("more.yaml");
    Files.writeString(outside, only("b"));
    Files.move(outside, inside);
    meets("a", "b");
    Files.move(inside, outside);
    meets("a");
  }

  @Test
  void aFileIsRenamedWithinTheDirectory() throws IOException {
    startWith("a");
    Path renamed = node.manifests().resolve("renamed.yaml");
    Files.move(pod, renamed);
    meets("a");
    Files.move(renamed, node.manifests().resolve("renamed.txt"));
    meets(Outcome.REFUSED);
    Files.delete(node.manifests().resolve("renamed.txt"));
  }

  @Test
  void aSymbolicLinkIsSwitched() throws IOException {
    startWith("a");
    Path second = elsewhere.resolve("second.yaml");
    Files.writeString(second, only("b"));
    Path link = node.manifests().resolve(".link");
    Files.createSymbolicLink(link, second);
    Files.move(link, pod, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    meets("b");
    // The target changes, the link does not.
    Files.writeString(second, only("a"));
    meets("a");
    Files.delete(pod);
  }

  @Test
  void aConfigMapVolumeIsUpdated() throws IOException {
    Files.deleteIfExists(pod);
    Path first = Files.createDirectory(node.manifests().resolve("..2026_01_01"));
    Files.writeString(first.resolve("pod.yaml"), only("a"));
    Path data = node.manifests().resolve("..data");
    Files.createSymbolicLink(data, first.getFileName());
    Files.createSymbolicLink(pod, Path.of("..data/pod.yaml"));
    meets("a");

    Path next = Files.createDirectory(node.manifests().resolve("..2026_01_02"));
    Files.writeString(next.resolve("pod.yaml"), only("b"));
    Path temporary = node.manifests().resolve("..data_tmp");
    Files.createSymbolicLink(temporary, next.getFileName());
    Files.move(
        temporary, data, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    Lab.deleteTree(first);
    meets("b");

    Files.delete(pod);
    Files.delete(data);
    Lab.deleteTree(next);
    meets(Outcome.REFUSED);
  }

  @Test
  void aBrokenFileKeepsTheLastGoodVersionUntilItIsMended() throws IOException {
    startWith("a");
    // As a whole: an empty file, even if it is so for a moment only, is good, and has no Pods.
    node.write("pod.yaml", "kind: [\n");
    node.write("other.yaml", Manifest.of(Manifest.serverService("other", 11, LABEL)));
    Checks.meetsInTime(client, Family.IPV4.service(11), "a");
    Checks.meets(client, Client.Kind.TCP, Family.IPV4.service(10), "a");
    Files.writeString(pod, only("b"));
    meets("b");
    node.delete("other.yaml");
  }

  /** What others do on the machine can only make it slower, so the promise has to hold mostly. */
  @Test
  void aChangeTakesEffectWithinASecond() throws IOException {
    startWith("a");
    List<Duration> times = new ArrayList<>();
    for (int i = 0; i < 11; i++) {
      String next = i % 2 == 0 ? "b" : "a";
      node.write("pod.yaml", only(next));
      times.add(
          Eventually.within(
              Checks.EFFECT,
              () ->
                  assertThat(client.hit(Client.Kind.TCP, Family.IPV4.service(10), Checks.BANNER))
                      .isEqualTo(next)));
    }
    times.sort(null);
    assertThat(times.get(times.size() / 2)).as("median of %s", times).isLessThan(Checks.PROMISE);
  }

  @Test
  void manyChangesInARowEndWithTheLast() throws IOException {
    startWith("a");
    for (int i = 0; i < 200; i++) {
      Files.writeString(pod, only(i % 2 == 0 ? "a" : "b"));
    }
    meets("b");
  }
}
