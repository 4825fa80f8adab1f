// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import static dev.patchbay.testkit.ServiceBuilder.ready;
import static dev.patchbay.testkit.ServiceBuilder.service;
import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.agent.snapshot.Snapshot;
import dev.patchbay.agent.snapshot.SnapshotFile;
import dev.patchbay.model.ClusterSnapshot;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Problem;
import dev.patchbay.model.ServiceState;
import dev.patchbay.model.SourceChanges;
import dev.patchbay.model.SourceUpdate;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class SnapshotWriterTest {
  @TempDir private Path dir;
  private final KnownCluster cluster = new KnownCluster();
  private List<Problem> problems = List.of();
  private List<Snapshot.Refusal> refusals = List.of();
  private NodeFacts node = NodeFacts.named("n");
  private long written;

  private static ServiceState state(int number, int version) {
    return service("demo/s" + number)
        .clusterIps("10.96.0." + number % 250)
        .port(80)
        .slice(8000 + version, ready("10.0.0.1"))
        .build();
  }

  private SourceUpdate update(List<ServiceState> upserted, List<ObjectKey> removed) {
    return new SourceUpdate(upserted, removed, problems, List.of(), SourceChanges.NONE);
  }

  private void tell(SnapshotWriter writer, SourceUpdate update) {
    cluster.keep(update);
    writer.offer(update, cluster, snapshot());
  }

  private Function<ClusterSnapshot, Snapshot> snapshot() {
    long now = ++written;
    NodeFacts of = node;
    List<Snapshot.Refusal> refused = refusals;
    return all -> new Snapshot(now, 7, "1", of, "/cgroup", "/bpf", "test", all, refused);
  }

  /** Waits until the file says what was offered last, and returns it. */
  private Snapshot settled() throws Exception {
    while (true) {
      if (Files.exists(SnapshotFile.path(dir))) {
        Snapshot read = SnapshotFile.read(dir);
        if (read.writtenMillis() == written) {
          assertThat(read.cluster()).isEqualTo(cluster.snapshot());
          assertThat(read.refusals()).isEqualTo(refusals);
          assertThat(read.node()).isEqualTo(node);
          return read;
        }
      }
      Thread.sleep(1);
    }
  }

  private int lines() throws IOException {
    return Files.readAllLines(SnapshotFile.path(dir)).size();
  }

  @Test
  void changeIsAddedToTheSnapshot() throws Exception {
    try (SnapshotWriter writer = new SnapshotWriter(dir)) {
      tell(writer, update(List.of(state(1, 0), state(2, 0), state(3, 0)), List.of()));
      settled();
      assertThat(lines()).isEqualTo(1);
      tell(writer, update(List.of(state(1, 1), state(4, 0)), List.of(state(2, 0).key())));
      settled();
      assertThat(lines()).isEqualTo(2);
      assertThat(Files.readAllLines(SnapshotFile.path(dir)).getLast())
          .contains("\"s1\"", "\"s2\"", "\"s4\"")
          .doesNotContain("\"s3\"", "problems", "refusals");
    }
  }

  @Test
  void problemsAndRefusalsAreAddedWhenTheyDiffer() throws Exception {
    try (SnapshotWriter writer = new SnapshotWriter(dir)) {
      tell(writer, update(List.of(state(1, 0)), List.of()));
      settled();
      problems = List.of(new Problem(Problem.Severity.ERROR, "a.yaml", 1, "", "", "bad"));
      tell(writer, update(List.of(), List.of()));
      settled();
      refusals = List.of(new Snapshot.Refusal("demo/s1", "full"));
      writer.offer(null, cluster, snapshot());
      settled();
      problems = List.of();
      refusals = List.of();
      tell(writer, update(List.of(), List.of()));
      settled();
      assertThat(lines()).isEqualTo(4);
    }
  }

  @Test
  void anotherNodeMakesAnotherFile() throws Exception {
    try (SnapshotWriter writer = new SnapshotWriter(dir)) {
      tell(writer, update(List.of(state(1, 0)), List.of()));
      settled();
      tell(writer, update(List.of(state(1, 1)), List.of()));
      settled();
      node = NodeFacts.named("other");
      tell(writer, update(List.of(state(1, 2)), List.of()));
      settled();
      assertThat(lines()).isEqualTo(1);
    }
  }

  @Test
  void manyChangesMakeAnotherFile() throws Exception {
    try (SnapshotWriter writer = new SnapshotWriter(dir)) {
      for (int version = 0; version < 3; version++) {
        int now = version;
        tell(
            writer,
            update(IntStream.range(0, 6_000).mapToObj(i -> state(i, now)).toList(), List.of()));
        settled();
        assertThat(lines()).isEqualTo(1);
      }
      tell(writer, update(List.of(state(1, 9)), List.of()));
      settled();
      assertThat(lines()).isEqualTo(2);
    }
  }

  @Test
  void fileThatWasDeletedComesBackWhole() throws Exception {
    try (SnapshotWriter writer = new SnapshotWriter(dir)) {
      tell(writer, update(List.of(state(1, 0), state(2, 0)), List.of()));
      settled();
      Files.delete(SnapshotFile.path(dir));
      tell(writer, update(List.of(state(1, 1)), List.of()));
      settled();
      assertThat(lines()).isEqualTo(1);
    }
  }

  @Test
  void afterAFailureTheNextIsWhole() throws Exception {
    try (SnapshotWriter writer = new SnapshotWriter(dir)) {
      tell(writer, update(List.of(state(1, 0)), List.of()));
      settled();
      Path temporary = Files.createDirectory(dir.resolve(".snapshot.json.tmp"));
      node = NodeFacts.named("other");
      tell(writer, update(List.of(state(2, 0)), List.of()));
      Thread.sleep(200);
      assertThat(SnapshotFile.read(dir).writtenMillis()).isEqualTo(1);
      Files.delete(temporary);
      tell(writer, update(List.of(state(3, 0)), List.of()));
      settled();
    }
  }

  @Test
  void closeWritesWhatIsLeft() throws Exception {
    try (SnapshotWriter writer = new SnapshotWriter(dir)) {
      tell(writer, update(List.of(state(1, 0)), List.of()));
      settled();
      for (int i = 1; i <= 100; i++) {
        tell(writer, update(List.of(state(1, i)), List.of()));
      }
    }
    settled();
  }

  /** Whatever comes, however fast: the file ends up with what was told last. */
  @Test
  void randomChanges() throws Exception {
    RandomGenerator random = RandomGenerator.of("L64X128MixRandom");
    try (SnapshotWriter writer = new SnapshotWriter(dir)) {
      for (int i = 0; i < 3_000; i++) {
        int number = random.nextInt(200);
        if (random.nextInt(3) == 0) {
          tell(writer, update(List.of(), List.of(state(number, 0).key())));
        } else {
          tell(writer, update(List.of(state(number, i)), List.of()));
        }
        if (random.nextInt(100) == 0) {
          settled();
        }
      }
      settled();
    }
  }
}
