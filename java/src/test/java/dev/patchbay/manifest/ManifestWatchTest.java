// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import static dev.patchbay.manifest.Manifests.endpoints;
import static dev.patchbay.manifest.Manifests.key;
import static dev.patchbay.manifest.Manifests.problems;
import static dev.patchbay.manifest.Manifests.service;
import static dev.patchbay.manifest.Manifests.slice;
import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.model.Hints;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.ServiceState;
import dev.patchbay.model.SourceUpdate;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Changes of real files, told in time. */
@Timeout(60)
class ManifestWatchTest {
  private static final String WEB = service("web", "ports: [{port: 80}]");

  @TempDir Path root;
  private Manifests manifests;
  private final LinkedBlockingQueue<Loaded> told = new LinkedBlockingQueue<>();
  private final List<Told> seen = new ArrayList<>();
  private @Nullable ManifestSource source;
  private Told last = Told.NOTHING;

  @BeforeEach
  void create() {
    manifests = new Manifests(root).write("web.yaml", WEB);
  }

  @AfterEach
  void close() {
    if (source != null) {
      source.close();
    }
  }

  private void watch(Manifests of) throws ManifestDirectoryException {
    watch(of, ManifestWatcher.EMPTY_GRACE);
  }

  private void watch(Manifests of, Duration emptyGrace) throws ManifestDirectoryException {
    source = new ManifestSource(of.settings(), emptyGrace);
    last = Told.NOTHING.then(source.load());
    source.watch(told::add);
  }

  /** Waits until what was told satisfies a condition; keeps all that was told in the meantime. */
  private Told await(Predicate<Told> condition) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (!condition.test(last)) {
      Loaded next = told.poll(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
      if (next == null) {
        throw new AssertionError("not told in time; last: " + last.snapshot());
      }
      last = last.then(next);
      seen.add(last);
    }
    return last;
  }

  private Told awaitServices(String... names) throws InterruptedException {
    Set<ObjectKey> keys = new HashSet<>();
    for (String name : names) {
      keys.add(key(name));
    }
    return await(l -> l.snapshot().services().keySet().equals(keys));
  }

  private void replace(String file, String content) throws IOException {
    Path other = manifests.directory().resolve("." + file + ".swp");
    Files.writeString(other, content);
    Files.move(other, manifests.directory().resolve(file), StandardCopyOption.ATOMIC_MOVE);
  }

  @Test
  void aNewFileAChangedFileAndADeletedFile() throws Exception {
    watch(manifests);
    manifests.write("db.yaml", service("db", "ports: [{port: 5432}]"));
    assertThat(awaitServices("web", "db").changed()).containsExactly(key("db"));
    assertThat(last.files()).isEqualTo(2);

    manifests.write("db.yaml", service("db", "ports: [{port: 5433}]"));
    await(l -> Manifests.state(l, "db").service().ports().getFirst().port() == 5433);
    assertThat(last.changed()).containsExactly(key("db"));

    manifests.delete("db.yaml");
    assertThat(awaitServices("web").changed()).containsExactly(key("db"));
  }

  @Test
  void aChangeIsToldWithinASecond() throws Exception {
    watch(manifests);
    for (int i = 0; i < 5; i++) {
      int port = 1000 + i;
      long start = System.nanoTime();
      manifests.write("web.yaml", service("web", "ports: [{port: " + port + "}]"));
      await(l -> Manifests.state(l, "web").service().ports().getFirst().port() == port);
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(1));
    }
  }

  @Test
  void anEditorThatReplacesTheFile() throws Exception {
    watch(manifests);
    replace("web.yaml", service("web", "ports: [{port: 81}]"));
    await(l -> Manifests.state(l, "web").service().ports().getFirst().port() == 81);
    assertThat(seen).allMatch(l -> l.snapshot().services().containsKey(key("web")));
  }

  @Test
  void aConfigMapVolumeThatIsSwitched() throws Exception {
    Path directory = manifests.delete("web.yaml").directory();
    Path first = Files.createDirectory(directory.resolve("..2026_01"));
    Files.writeString(first.resolve("web.yaml"), WEB);
    Files.createSymbolicLink(directory.resolve("..data"), Path.of("..2026_01"));
    Files.createSymbolicLink(directory.resolve("web.yaml"), Path.of("..data/web.yaml"));
    watch(manifests);
    assertThat(last.snapshot().services()).containsOnlyKeys(key("web"));

    Path second = Files.createDirectory(directory.resolve("..2026_02"));
    Files.writeString(second.resolve("web.yaml"), service("web", "ports: [{port: 81}]"));
    Files.createSymbolicLink(directory.resolve("..data_tmp"), Path.of("..2026_02"));
    long start = System.nanoTime();
    Files.move(
        directory.resolve("..data_tmp"),
        directory.resolve("..data"),
        StandardCopyOption.ATOMIC_MOVE);
    Files.delete(first.resolve("web.yaml"));
    Files.delete(first);
    await(l -> Manifests.state(l, "web").service().ports().getFirst().port() == 81);
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(1));
  }

  @Test
  void theDirectoryItselfAsASymbolicLinkThatIsSwitched() throws Exception {
    Path releases = Files.createDirectory(root.resolve("releases"));
    Manifests one = new Manifests(releases.resolve("1")).write("web.yaml", WEB);
    Manifests two =
        new Manifests(releases.resolve("2")).write("db.yaml", service("db", "ports: [{port: 1}]"));
    Path link = root.resolve("current");
    Files.createSymbolicLink(link, one.directory());
    source =
        new ManifestSource(
            new ManifestSettings(
                link, null, ManifestSettings.DEFAULT_SERVICE_CIDRS, PortRange.DEFAULT_NODE_PORTS));
    last = Told.NOTHING.then(source.load());
    source.watch(told::add);

    Path next = root.resolve("next");
    Files.createSymbolicLink(next, two.directory());
    Files.move(next, link, StandardCopyOption.ATOMIC_MOVE);
    awaitServices("db");

    two.write("more.yaml", service("more", "ports: [{port: 1}]"));
    awaitServices("db", "more"); // events come from the new directory now
  }

  @Test
  void aFileThatBreaksKeepsItsLastGoodVersion() throws Exception {
    watch(manifests);
    manifests.write("web.yaml", "kind: [");
    await(l -> !problems(l).isEmpty());
    assertThat(last.snapshot().services()).containsOnlyKeys(key("web"));
    assertThat(last.changed()).isEmpty();
    assertThat(problems(last)).hasSize(1).allMatch(p -> p.startsWith("ERROR web.yaml, document 1"));

    manifests.write("web.yaml", service("web", "ports: [{port: 81}]"));
    await(l -> problems(l).isEmpty());
    assertThat(Manifests.state(last, "web").service().ports().getFirst().port()).isEqualTo(81);
  }

  @Test
  void anObjectThatBreaksKeepsItsLastGoodVersionAndOthersChange() throws Exception {
    manifests.write("web.yaml", WEB, service("db", "ports: [{port: 1}]"));
    watch(manifests);
    manifests.write(
        "web.yaml",
        service("web", "ports: [{port: 70000}]"),
        service("more", "ports: [{port: 1}]"));
    awaitServices("web", "more");
    assertThat(Manifests.state(last, "web").service().ports().getFirst().port()).isEqualTo(80);
    assertThat(problems(last))
        .containsExactly(
            "ERROR web.yaml, document 1: Service default/web: spec.ports[0].port: 70000 is out of"
                + " range; allowed are 1 to 65535 (line 6)");
  }

  @Test
  void aFileThatStaysEmptyLosesItsObjects() throws Exception {
    manifests.write("db.yaml", service("db", "ports: [{port: 1}]"));
    watch(manifests);
    manifests.write("db.yaml", "");
    awaitServices("web");
    assertThat(problems(last)).isEmpty();
  }

  @Test
  void aFileThatIsEmptyForAMomentLosesNothing() throws Exception {
    watch(manifests, Duration.ofMinutes(1));
    manifests.write("web.yaml", "");
    manifests.write("db.yaml", service("db", "ports: [{port: 1}]"));
    awaitServices("web", "db"); // the empty file was seen and is not believed yet
    manifests.write("web.yaml", service("web", "ports: [{port: 81}]"));
    await(
        l -> {
          var web = l.snapshot().services().get(key("web"));
          return web != null && web.service().ports().getFirst().port() == 81;
        });
    assertThat(seen).allMatch(l -> l.snapshot().services().containsKey(key("web")));
  }

  @Test
  void aDirectoryThatVanishesAndComesBack() throws Exception {
    watch(manifests);
    Path aside = root.resolve("aside");
    Files.move(manifests.directory(), aside);
    await(l -> !problems(l).isEmpty());
    assertThat(problems(last))
        .containsExactly(
            "ERROR manifest directory "
                + manifests.directory()
                + " does not exist; what was read last stays in force");
    assertThat(last.snapshot().services()).containsOnlyKeys(key("web"));

    Files.createDirectory(manifests.directory());
    await(l -> problems(l).toString().contains("replaced by one without manifests"));
    assertThat(seen).allMatch(l -> problems(l).size() == 1);
    assertThat(last.snapshot().services()).containsOnlyKeys(key("web"));

    manifests.write("db.yaml", service("db", "ports: [{port: 1}]"));
    awaitServices("db");
    assertThat(problems(last)).isEmpty();

    manifests.write("db.yaml", service("other", "ports: [{port: 1}]"));
    awaitServices("other"); // events come from the new directory now
  }

  @Test
  void aDirectoryThatIsEmptiedLosesItsObjects() throws Exception {
    watch(manifests);
    manifests.delete("web.yaml");
    awaitServices();
    assertThat(problems(last)).hasSize(1).allMatch(p -> p.contains("has no manifests"));
  }

  @Test
  void onlyTheServicesThatDifferAreTold() throws Exception {
    manifests.write(
        "slices.yaml",
        slice("web-1", "web", "IPv4", "10.1.0.1"),
        slice("web-2", "web", "IPv4", "10.1.0.2"));
    manifests.write("db.yaml", service("db", "ports: [{port: 1}]"));
    watch(manifests);
    manifests.write(
        "slices.yaml",
        slice("web-1", "web", "IPv4", "10.1.0.1"),
        slice("web-2", "web", "IPv4", "10.1.0.3"));
    await(l -> endpoints(l, "web").contains("10.1.0.3 =8080/TCP"));
    assertThat(last.changed()).containsExactly(key("web"));
  }

  @Test
  void listsThatAreTheSameStayTheSameObjects() throws Exception {
    manifests.write("noted.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n");
    manifests.write("node.yaml", node("a"));
    source = new ManifestSource(manifests.settings());
    SourceUpdate first = source.load().update();
    source.watch(told::add);
    manifests.write("web.yaml", service("web", "ports: [{port: 81}]"));
    SourceUpdate second = Objects.requireNonNull(told.poll(10, TimeUnit.SECONDS)).update();
    assertThat(second.upserted()).extracting(ServiceState::key).containsExactly(key("web"));
    assertThat(second.removed()).isEmpty();
    assertThat(second.problems()).hasSize(1).isSameAs(first.problems());
    assertThat(second.nodes()).hasSize(1).isSameAs(first.nodes());
    manifests.delete("web.yaml");
    SourceUpdate third = Objects.requireNonNull(told.poll(10, TimeUnit.SECONDS)).update();
    assertThat(third.upserted()).isEmpty();
    assertThat(third.removed()).containsExactly(key("web"));
  }

  @Test
  void aChangeOfANodeIsTold() throws Exception {
    manifests.write("pod.yaml", Manifests.pod("p", "near", "10.1.0.1"));
    manifests.write(
        "near.yaml",
        service(
            "near",
            "selector: {app: near}",
            "trafficDistribution: PreferClose",
            "ports: [{port: 80, targetPort: 8080}]"));
    manifests.write("node.yaml", node("a"));
    watch(manifests);
    assertThat(hintsOfNear()).isEqualTo(new Hints(List.of("a"), List.of()));

    manifests.write("node.yaml", node("b"));
    await(l -> l.nodes().getFirst().zone().equals("b"));
    assertThat(last.changed()).containsExactly(key("near"));
    assertThat(hintsOfNear()).isEqualTo(new Hints(List.of("b"), List.of()));

    manifests.write(
        "node.yaml", node("b") + "status: {addresses: [{type: InternalIP, address: 10.0.0.1}]}\n");
    await(l -> !l.nodes().getFirst().addresses().isEmpty());
    assertThat(last.changed()).isEmpty();

    manifests.delete("node.yaml");
    await(l -> l.nodes().isEmpty());
    assertThat(hintsOfNear()).isEqualTo(Hints.NONE);
  }

  private static String node(String zone) {
    return "apiVersion: v1\nkind: Node\nmetadata: {name: node-1, labels:"
        + " {topology.kubernetes.io/zone: "
        + zone
        + "}}\n";
  }

  private Hints hintsOfNear() {
    return Manifests.state(last, "near").slices().getFirst().endpoints().getFirst().hints();
  }

  @Test
  void aFileThatIsTouchedIsNoChange() throws Exception {
    watch(manifests);
    manifests.write("web.yaml", WEB);
    manifests.write("db.yaml", service("db", "ports: [{port: 1}]"));
    awaitServices("web", "db");
    assertThat(seen).allMatch(l -> l.changed().equals(Set.of(key("db"))));
  }

  @Test
  void aListenerThatFailsIsCalledAgain() throws Exception {
    source = new ManifestSource(manifests.settings());
    last = Told.NOTHING.then(source.load());
    source.watch(
        loaded -> {
          told.add(loaded);
          throw new IllegalStateException("on purpose");
        });
    manifests.write("db.yaml", service("db", "ports: [{port: 1}]"));
    awaitServices("web", "db");
    manifests.delete("db.yaml");
    awaitServices("web");
  }

  @Test
  void closingEndsTheThread() throws Exception {
    watch(manifests);
    manifests.write("db.yaml", service("db", "ports: [{port: 1}]"));
    awaitServices("web", "db");
    ManifestSource closing = Objects.requireNonNull(source);
    closing.close();
    closing.close();
    assertThat(Thread.getAllStackTraces().keySet())
        .noneMatch(t -> t.getName().startsWith("patchbay-manifests") && t.isAlive());
  }
}
