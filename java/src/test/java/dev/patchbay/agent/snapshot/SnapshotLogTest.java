// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.snapshot;

import static dev.patchbay.testkit.ServiceBuilder.ready;
import static dev.patchbay.testkit.ServiceBuilder.service;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.patchbay.model.ClusterSnapshot;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Problem;
import dev.patchbay.model.ServiceState;
import dev.patchbay.testkit.ServiceArbitraries;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SnapshotLogTest {
  private static final Problem PROBLEM =
      new Problem(Problem.Severity.ERROR, "a.yaml", 2, "Pod a/b", "spec", "no");

  private static Snapshot snapshot(long written, ClusterSnapshot cluster) {
    return new Snapshot(
        written, 1, "1", NodeFacts.named("n"), "/cgroup", "/bpf", "test", cluster, List.of());
  }

  private static Snapshot snapshot(long written, List<ServiceState> services) {
    Map<ObjectKey, ServiceState> byKey = new HashMap<>();
    services.forEach(state -> byKey.put(state.key(), state));
    return snapshot(written, new ClusterSnapshot(byKey, List.of()));
  }

  private static SnapshotChange change(long written, ServiceState... upserted) {
    return new SnapshotChange(written, null, null, List.of(), List.of(upserted));
  }

  private static ServiceState named(String key, int port) {
    return service(key).clusterIps("10.96.0.1").port(port).slice(8080, ready("10.0.0.1")).build();
  }

  /** What a change leads to, said once more, in other words. */
  private static Snapshot applied(Snapshot to, SnapshotChange change) {
    Map<ObjectKey, ServiceState> services = new HashMap<>(to.cluster().services());
    services.keySet().removeAll(change.removed());
    for (ServiceState state : change.upserted()) {
      services.put(state.key(), state);
    }
    return new Snapshot(
        change.writtenMillis(),
        to.pid(),
        to.version(),
        to.node(),
        to.cgroup(),
        to.bpfDir(),
        to.source(),
        new ClusterSnapshot(
            services, change.problems() == null ? to.cluster().problems() : change.problems()),
        change.refusals() == null ? to.refusals() : change.refusals());
  }

  @Test
  void formatIsStable(@TempDir Path dir) throws Exception {
    try (SnapshotLog log = new SnapshotLog(dir)) {
      log.replace(snapshot(1, ClusterSnapshot.EMPTY));
      assertThat(log.append(change(2))).isTrue();
      assertThat(
              log.append(
                  new SnapshotChange(
                      3,
                      List.of(new Snapshot.Refusal("a/b", "full")),
                      List.of(PROBLEM),
                      List.of(new ObjectKey("a", "b")),
                      List.of(service("c/d").build()))))
          .isTrue();
    }
    assertThat(Files.readAllLines(SnapshotFile.path(dir)))
        .satisfiesExactly(
            first -> assertThat(first).startsWith("{\"format\":2,\"writtenMillis\":1,"),
            second -> assertThat(second).isEqualTo("{\"writtenMillis\":2}"),
            third ->
                assertThat(third)
                    .isEqualTo(
                        "{\"writtenMillis\":3,\"refusals\":[{\"servicePort\":\"a/b\","
                            + "\"reason\":\"full\"}],\"problems\":[{\"severity\":\"ERROR\","
                            + "\"file\":\"a.yaml\",\"document\":2,\"object\":\"Pod a/b\","
                            + "\"field\":\"spec\",\"reason\":\"no\"}],"
                            + "\"removed\":[{\"namespace\":\"a\",\"name\":\"b\"}],"
                            + "\"services\":[{\"namespace\":\"c\",\"name\":\"d\","
                            + "\"type\":\"ClusterIP\",\"clusterIps\":[],\"ports\":[],"
                            + "\"origin\":\"test\",\"slices\":[]}]}"));
  }

  @Test
  void changesAreNotAddedToWhatAnotherProcessLeft(@TempDir Path dir) throws Exception {
    try (SnapshotLog log = new SnapshotLog(dir)) {
      log.replace(snapshot(1, ClusterSnapshot.EMPTY));
    }
    try (SnapshotLog log = new SnapshotLog(dir)) {
      assertThat(log.append(change(2))).isFalse();
    }
    assertThat(SnapshotFile.read(dir).writtenMillis()).isEqualTo(1);
  }

  @Test
  void fileThatSomebodyTouchedIsWrittenAnew(@TempDir Path dir) throws Exception {
    Path file = SnapshotFile.path(dir);
    try (SnapshotLog log = new SnapshotLog(dir)) {
      log.replace(snapshot(1, ClusterSnapshot.EMPTY));
      Files.delete(file);
      assertThat(log.append(change(2))).as("deleted").isFalse();
      log.replace(snapshot(3, ClusterSnapshot.EMPTY));
      Files.writeString(file, "x", StandardOpenOption.APPEND);
      assertThat(log.append(change(4))).as("longer").isFalse();
      log.replace(snapshot(5, ClusterSnapshot.EMPTY));
      byte[] bytes = Files.readAllBytes(file);
      Files.delete(file);
      Path _ = Files.createFile(dir.resolve("other")); // lest the next has the same inode
      Files.write(file, bytes);
      assertThat(log.append(change(6))).as("another file").isFalse();
      log.replace(snapshot(7, ClusterSnapshot.EMPTY));
      assertThat(log.append(change(8))).isTrue();
    }
    assertThat(SnapshotFile.read(dir).writtenMillis()).isEqualTo(8);
  }

  @Test
  void changesMayTakeHalfOfTheRoomOfTheSnapshot(@TempDir Path dir) throws Exception {
    List<ServiceState> many =
        IntStream.range(0, 2_000).mapToObj(i -> named("demo/s" + i, 80)).toList();
    try (SnapshotLog log = new SnapshotLog(dir)) {
      log.replace(snapshot(0, many));
      long first = Files.size(SnapshotFile.path(dir));
      assertThat(first / 2).isGreaterThan(SnapshotLog.FEW);
      int changes = 0;
      while (log.append(change(changes, many.get(changes % 2_000)))) {
        changes++;
      }
      assertThat(Files.size(SnapshotFile.path(dir)))
          .isBetween(first + first / 2 - 2_000, first + first / 2);
      assertThat(changes).isBetween(500, 1_000);
      assertThat(SnapshotFile.read(dir).writtenMillis()).isEqualTo(changes - 1);
      log.replace(snapshot(0, many));
      assertThat(log.append(change(1, many.toArray(ServiceState[]::new))))
          .as("all at once")
          .isFalse();
      assertThat(Files.size(SnapshotFile.path(dir))).isEqualTo(first);
    }
  }

  @Test
  void changesOfSmallSnapshotsAreKeptForAWhile(@TempDir Path dir) throws Exception {
    try (SnapshotLog log = new SnapshotLog(dir)) {
      log.replace(snapshot(0, ClusterSnapshot.EMPTY));
      long first = Files.size(SnapshotFile.path(dir));
      while (log.append(change(1))) {
        assertThat(Files.size(SnapshotFile.path(dir))).isLessThanOrEqualTo(first + SnapshotLog.FEW);
      }
      assertThat(Files.size(SnapshotFile.path(dir))).isGreaterThan(first + SnapshotLog.FEW - 100);
    }
  }

  @Test
  void failureLeavesTheStateBefore(@TempDir Path dir) throws Exception {
    try (SnapshotLog log = new SnapshotLog(dir)) {
      log.replace(snapshot(1, ClusterSnapshot.EMPTY));
      assertThat(log.append(change(2))).isTrue();
      Path temporary = Files.createDirectory(dir.resolve(".snapshot.json.tmp"));
      assertThatThrownBy(() -> log.replace(snapshot(3, ClusterSnapshot.EMPTY)))
          .isInstanceOf(IOException.class);
      assertThat(SnapshotFile.read(dir).writtenMillis()).isEqualTo(2);
      assertThat(log.append(change(4))).as("what it would follow is not there").isFalse();
      Files.delete(temporary);
      log.replace(snapshot(5, ClusterSnapshot.EMPTY));
    }
    assertThat(SnapshotFile.read(dir).writtenMillis()).isEqualTo(5);
    try (Stream<Path> files = Files.list(dir)) {
      assertThat(files).containsExactly(SnapshotFile.path(dir));
    }
  }

  @Test
  void damageInTheMiddleIsCorrupt(@TempDir Path dir) throws Exception {
    Path file = SnapshotFile.path(dir);
    try (SnapshotLog log = new SnapshotLog(dir)) {
      log.replace(snapshot(1, ClusterSnapshot.EMPTY));
    }
    String first = Files.readString(file);
    for (String line : List.of("x", "[]", "{\"services\":[{}]}", "{\"removed\":[{}]}", "{")) {
      Files.writeString(file, first + line + "\n{\"writtenMillis\":2}\n");
      assertThat(
              catchThrowableOfType(SnapshotException.class, () -> SnapshotFile.read(dir)).reason())
          .as(line)
          .isEqualTo(SnapshotException.Reason.CORRUPT);
    }
  }

  @Test
  void endThatIsNoLineIsPassedOver(@TempDir Path dir) throws Exception {
    Path file = SnapshotFile.path(dir);
    try (SnapshotLog log = new SnapshotLog(dir)) {
      log.replace(snapshot(1, ClusterSnapshot.EMPTY));
      assertThat(log.append(change(2))).isTrue();
    }
    String good = Files.readString(file);
    for (String end : List.of("{", "\0\0\0", "x".repeat(20_000), "{\"writtenMillis\":3}")) {
      Files.writeString(file, good + end);
      assertThat(SnapshotFile.read(dir).writtenMillis()).isEqualTo(2);
    }
  }

  /** Readers open the file at any moment, while it is added to and replaced. */
  @Test
  void readersSeeOneStateAndNoneThatIsOld(@TempDir Path dir) throws Exception {
    AtomicLong completed = new AtomicLong();
    try (SnapshotLog log = new SnapshotLog(dir)) {
      log.replace(both(0));
      Thread writer =
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      for (int i = 1; i <= 3_000; i++) {
                        List<ServiceState> services =
                            List.copyOf(both(i).cluster().services().values());
                        if (i % 50 == 0
                            || !log.append(change(i, services.toArray(ServiceState[]::new)))) {
                          log.replace(both(i));
                        }
                        completed.set(i);
                      }
                    } catch (IOException e) {
                      throw new java.io.UncheckedIOException(e);
                    }
                  });
      do {
        long before = completed.get();
        Snapshot read = SnapshotFile.read(dir);
        assertThat(read.writtenMillis()).isBetween(before, completed.get() + 1);
        assertThat(read).isEqualTo(both((int) read.writtenMillis()));
      } while (writer.isAlive());
      writer.join();
    }
    assertThat(completed.get()).as("the writer ended well").isEqualTo(3_000);
    assertThat(SnapshotFile.read(dir)).isEqualTo(both(3_000));
  }

  private static Snapshot both(int version) {
    return snapshot(version, List.of(named("demo/a", 1 + version), named("demo/b", 1 + version)));
  }

  /**
   * Random states one after the other; the writer is killed after each byte of each append, and
   * with a new file half written.
   */
  @Property(tries = 40)
  void killedAtAnyByteItLeavesTheStateOfTheLastAppend(
      @ForAll("first") Snapshot first, @ForAll("changes") List<SnapshotChange> changes)
      throws Exception {
    Path dir = Files.createTempDirectory("patchbay-snapshot");
    Path file = SnapshotFile.path(dir);
    Path temporary = dir.resolve(".snapshot.json.tmp");
    try {
      List<Snapshot> states = new ArrayList<>(List.of(first));
      List<Integer> ends = new ArrayList<>();
      try (SnapshotLog log = new SnapshotLog(dir)) {
        log.replace(first);
        ends.add((int) Files.size(file));
        for (SnapshotChange change : changes) {
          assertThat(log.append(change)).isTrue();
          states.add(applied(states.getLast(), change));
          ends.add((int) Files.size(file));
        }
      }
      byte[] all = Files.readAllBytes(file);
      int state = 0;
      for (int length = ends.getFirst(); length <= all.length; length++) {
        if (state + 1 < ends.size() && length == ends.get(state + 1)) {
          state++;
        }
        Files.write(file, Arrays.copyOf(all, length));
        Files.write(temporary, Arrays.copyOf(all, length / 2));
        assertThat(SnapshotFile.read(dir)).as("%d bytes", length).isEqualTo(states.get(state));
      }
      assertThat(state).isEqualTo(changes.size());
      try (SnapshotLog next = new SnapshotLog(dir)) {
        next.replace(first);
        assertThat(next.append(changes.getFirst())).isTrue();
      }
      assertThat(SnapshotFile.read(dir)).isEqualTo(states.get(1));
    } finally {
      Files.deleteIfExists(file);
      Files.deleteIfExists(temporary);
      Files.delete(dir);
    }
  }

  @Provide
  Arbitrary<Snapshot> first() {
    return SnapshotFileTest.snapshots();
  }

  @Provide
  Arbitrary<List<SnapshotChange>> changes() {
    Arbitrary<Problem> problem =
        Arbitraries.of("", "Pod a/b", "ü\n\u2028")
            .map(text -> new Problem(Problem.Severity.WARNING, text, 1, text, text, text));
    Arbitrary<Snapshot.Refusal> refusal =
        Arbitraries.of("", "a/b", "€\u0000").map(text -> new Snapshot.Refusal(text, text));
    return Combinators.combine(
            Arbitraries.longs(),
            refusal.list().ofMaxSize(2).injectNull(0.5),
            problem.list().ofMaxSize(2).injectNull(0.5),
            ServiceArbitraries.keys().set().ofMaxSize(3),
            ServiceArbitraries.services().list().ofMaxSize(2).uniqueElements(ServiceState::key))
        .as(
            (written, refusals, problems, removed, upserted) -> {
              removed.removeAll(upserted.stream().map(ServiceState::key).toList());
              return new SnapshotChange(
                  written, refusals, problems, List.copyOf(removed), upserted);
            })
        .list()
        .ofMinSize(1)
        .ofMaxSize(4);
  }
}
