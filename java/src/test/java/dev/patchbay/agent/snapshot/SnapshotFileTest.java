// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.snapshot;

import static dev.patchbay.testkit.ServiceBuilder.ready;
import static dev.patchbay.testkit.ServiceBuilder.service;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.patchbay.agent.snapshot.SnapshotException.Reason;
import dev.patchbay.model.ClusterSnapshot;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Problem;
import dev.patchbay.model.ServiceState;
import dev.patchbay.testkit.ServiceArbitraries;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SnapshotFileTest {
  private static Snapshot snapshot(ClusterSnapshot cluster, List<Snapshot.Refusal> refusals) {
    return new Snapshot(
        1_700_000_000_123L,
        4711,
        "0.1.0",
        NodeFacts.named("node"),
        "/sys/fs/cgroup",
        "/sys/fs/bpf/patchbay",
        "manifests in /etc/patchbay",
        cluster,
        refusals);
  }

  private static final Snapshot EMPTY = snapshot(ClusterSnapshot.EMPTY, List.of());

  private static void write(Path dir, Snapshot snapshot) throws IOException {
    try (SnapshotLog log = new SnapshotLog(dir)) {
      log.replace(snapshot);
    }
  }

  private static Reason failure(Path dir) {
    return catchThrowableOfType(SnapshotException.class, () -> SnapshotFile.read(dir)).reason();
  }

  @Test
  void formatIsStable(@TempDir Path dir) throws Exception {
    ServiceState state =
        service("demo/kubia")
            .clusterIps("10.96.0.1")
            .port(80)
            .affinity(600)
            .slice(8080, ready("10.0.0.1"))
            .build();
    write(
        dir,
        snapshot(
            new ClusterSnapshot(
                Map.of(state.key(), state),
                List.of(new Problem(Problem.Severity.ERROR, "a.yaml", 2, "Pod a/b", "spec", "no"))),
            List.of(new Snapshot.Refusal("demo/kubia/tcp (IPv4)", "services is full"))));
    assertThat(SnapshotFile.path(dir))
        .hasContent(
            "{\"format\":2,\"writtenMillis\":1700000000123,\"pid\":4711,\"version\":\"0.1.0\","
                + "\"node\":\"node\",\"cgroup\":\"/sys/fs/cgroup\","
                + "\"bpfDir\":\"/sys/fs/bpf/patchbay\",\"source\":\"manifests in /etc/patchbay\","
                + "\"refusals\":[{\"servicePort\":\"demo/kubia/tcp (IPv4)\","
                + "\"reason\":\"services is full\"}],"
                + "\"problems\":[{\"severity\":\"ERROR\",\"file\":\"a.yaml\",\"document\":2,"
                + "\"object\":\"Pod a/b\",\"field\":\"spec\",\"reason\":\"no\"}],"
                + "\"services\":[{\"namespace\":\"demo\",\"name\":\"kubia\",\"type\":\"ClusterIP\","
                + "\"clusterIps\":[\"10.96.0.1\"],\"ports\":[{\"protocol\":\"TCP\",\"port\":80,"
                + "\"targetPort\":\"80\"}],\"affinitySeconds\":600,\"origin\":\"test\","
                + "\"slices\":[{\"namespace\":\"demo\",\"name\":\"kubia-0\",\"family\":\"IPv4\","
                + "\"ports\":[{\"protocol\":\"TCP\",\"port\":8080}],"
                + "\"endpoints\":[{\"address\":\"10.0.0.1\"}]}]}]}\n");
  }

  @Test
  void leavesNothingButTheFile(@TempDir Path dir) throws Exception {
    write(dir, EMPTY);
    write(dir, EMPTY);
    try (Stream<Path> files = Files.list(dir)) {
      assertThat(files).containsExactly(SnapshotFile.path(dir));
    }
    assertThat(SnapshotFile.read(dir)).isEqualTo(EMPTY);
  }

  @Test
  void writeThatFailsKeepsThePreviousSnapshot(@TempDir Path dir) throws Exception {
    write(dir, EMPTY);
    Files.createDirectory(dir.resolve(".snapshot.json.tmp"));
    Snapshot next = snapshot(ClusterSnapshot.EMPTY, List.of(new Snapshot.Refusal("a", "b")));
    assertThatThrownBy(() -> write(dir, next)).isInstanceOf(IOException.class);
    assertThat(SnapshotFile.read(dir)).isEqualTo(EMPTY);
  }

  @Test
  void missing(@TempDir Path dir) {
    assertThatThrownBy(() -> SnapshotFile.read(dir))
        .isInstanceOf(SnapshotException.class)
        .hasMessageContaining(SnapshotFile.path(dir).toString())
        .hasMessageContaining("--state-dir");
    assertThat(failure(dir)).isEqualTo(Reason.MISSING);
    assertThat(failure(dir.resolve("nowhere"))).isEqualTo(Reason.MISSING);
  }

  @Test
  void unreadable(@TempDir Path dir) throws Exception {
    Files.createDirectory(SnapshotFile.path(dir));
    assertThat(failure(dir)).isEqualTo(Reason.UNREADABLE);
  }

  @Test
  void newerFormat(@TempDir Path dir) throws Exception {
    Files.writeString(SnapshotFile.path(dir), "{\"format\":3,\"services\":{\"other\":1}}");
    assertThat(failure(dir)).isEqualTo(Reason.NEWER);
  }

  @Test
  void firstFormat(@TempDir Path dir) throws Exception {
    write(dir, EMPTY);
    String text = Files.readString(SnapshotFile.path(dir));
    Files.writeString(SnapshotFile.path(dir), text.replace("\"format\":2", "\"format\":1"));
    assertThat(SnapshotFile.read(dir)).isEqualTo(EMPTY);
  }

  @Test
  void layoutDoesNotMatter(@TempDir Path dir) throws Exception {
    write(dir, EMPTY);
    String text = Files.readString(SnapshotFile.path(dir)).strip();
    Files.writeString(SnapshotFile.path(dir), text.replace(",", ",\n"));
    assertThat(SnapshotFile.read(dir)).isEqualTo(EMPTY);
    Files.writeString(SnapshotFile.path(dir), text + "\n\n");
    assertThat(SnapshotFile.read(dir)).isEqualTo(EMPTY);
  }

  @Test
  void unknownFieldsArePassedOver(@TempDir Path dir) throws Exception {
    write(dir, EMPTY);
    String text = Files.readString(SnapshotFile.path(dir));
    Files.writeString(
        SnapshotFile.path(dir),
        text.replace("\"pid\"", "\"later\":{\"a\":[1,{\"b\":null}]},\"pid\""));
    assertThat(SnapshotFile.read(dir)).isEqualTo(EMPTY);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "x",
        "[]",
        "1",
        "{}",
        "{\"format\":\"1\"}",
        "{\"format\":0}",
        "{\"format\":1",
        "{\"format\":1,\"services\":1}",
        "{\"format\":1,\"services\":[1]}",
        "{\"format\":1,\"services\":[{}]}",
        "{\"format\":1,\"services\":[{\"namespace\":\"a\",\"name\":\"b\",\"type\":\"C\"}]}",
        "{\"format\":1,\"services\":[{\"namespace\":\"a\",\"name\":\"b\",\"ports\":[{}]}]}",
        "{\"format\":1,\"services\":[{\"namespace\":\"a\",\"name\":\"b\",\"clusterIps\":[\"x\"]}]}",
        "{\"format\":1,\"problems\":[{\"severity\":\"BAD\"}]}",
        "{\"format\":1,\"pid\":99999999999999999999}",
        "{\"format\":1,\"node\":null}"
      })
  void corrupt(String content, @TempDir Path dir) throws Exception {
    Files.writeString(SnapshotFile.path(dir), content);
    assertThat(failure(dir)).isEqualTo(Reason.CORRUPT);
  }

  @Test
  void everyTruncationOfTheFirstLineIsCorrupt(@TempDir Path dir) throws Exception {
    write(dir, EMPTY);
    String text = Files.readString(SnapshotFile.path(dir)).strip();
    for (int length = 0; length < text.length(); length++) {
      Files.writeString(SnapshotFile.path(dir), text.substring(0, length));
      assertThat(failure(dir)).as("%d of %d", length, text.length()).isEqualTo(Reason.CORRUPT);
    }
  }

  @Property(tries = 300)
  void isReadBack(@ForAll("snapshots") Snapshot snapshot) throws Exception {
    Path dir = Files.createTempDirectory("patchbay-snapshot");
    try {
      write(dir, snapshot);
      assertThat(SnapshotFile.read(dir)).isEqualTo(snapshot);
    } finally {
      Files.deleteIfExists(SnapshotFile.path(dir));
      Files.delete(dir);
    }
  }

  @Provide
  static Arbitrary<Snapshot> snapshots() {
    Arbitrary<String> texts = Arbitraries.strings().all().ofMaxLength(8);
    Arbitrary<String> valid =
        texts.filter(t -> t.chars().noneMatch(c -> Character.isSurrogate((char) c)));
    Arbitrary<Problem> problem =
        Combinators.combine(
                Arbitraries.of(Problem.Severity.class),
                valid,
                Arbitraries.integers().between(0, 3),
                valid,
                valid,
                valid)
            .as(Problem::new);
    Arbitrary<Snapshot.Refusal> refusal =
        Combinators.combine(valid, valid).as(Snapshot.Refusal::new);
    return Combinators.combine(
            Arbitraries.longs(),
            Arbitraries.longs(),
            valid.list().ofSize(5),
            ServiceArbitraries.services().list().ofMaxSize(6),
            problem.list().ofMaxSize(3),
            refusal.list().ofMaxSize(3))
        .as(
            (written, pid, strings, services, problems, refusals) -> {
              Map<ObjectKey, ServiceState> byKey = new HashMap<>();
              services.forEach(s -> byKey.put(s.key(), s));
              return new Snapshot(
                  written,
                  pid,
                  strings.get(0),
                  NodeFacts.named(strings.get(1)),
                  strings.get(2),
                  strings.get(3),
                  strings.get(4),
                  new ClusterSnapshot(byKey, problems),
                  refusals);
            });
  }
}
