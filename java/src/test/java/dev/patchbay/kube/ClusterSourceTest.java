// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import static dev.patchbay.kube.FakeApiServer.NODES;
import static dev.patchbay.kube.FakeApiServer.SERVICES;
import static dev.patchbay.kube.FakeApiServer.SLICES;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.patchbay.kube.FakeApiServer.Gone;
import dev.patchbay.kube.FakeApiServer.Request;
import dev.patchbay.lab.Eventually;
import dev.patchbay.model.Endpoint;
import dev.patchbay.model.EndpointSlice;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.NodeInfo;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Problem;
import dev.patchbay.model.ServiceState;
import dev.patchbay.model.SourceChanges;
import dev.patchbay.model.SourceUpdate;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The source against an API server with bad days. */
@Timeout(60)
class ClusterSourceTest {
  private static final Timing QUICK =
      new Timing(
          Duration.ofSeconds(2),
          Duration.ofSeconds(5),
          Duration.ofSeconds(5),
          Duration.ofSeconds(1),
          Duration.ofSeconds(20),
          Duration.ofMinutes(5),
          Duration.ofMillis(20),
          Duration.ofMillis(500),
          Duration.ofMillis(500),
          Duration.ofMillis(100));

  private static final Timing IMPATIENT =
      new Timing(
          QUICK.connect(),
          QUICK.answer(),
          Duration.ofMillis(500),
          QUICK.listIdle(),
          Duration.ofMillis(300),
          QUICK.watch(),
          QUICK.backoffFirst(),
          QUICK.backoffMost(),
          QUICK.backoffRefused(),
          QUICK.credentials());

  @TempDir private Path directory;
  @AutoClose private final FakeApiServer server = new FakeApiServer();
  @AutoClose private final Follower follower = new Follower();

  /** Applies what a source tells, as whoever programs something would. */
  private static final class Follower implements AutoCloseable {
    private final Map<ObjectKey, ServiceState> services = new TreeMap<>();
    private final List<SourceUpdate> updates = new ArrayList<>();
    private List<Problem> problems = List.of();
    private List<NodeInfo> nodes = List.of();
    private @Nullable ClusterSource source;

    ClusterHealth health() {
      return requireNonNull(source).health();
    }

    void follow(ClusterSettings settings, Timing timing) throws IOException, InterruptedException {
      ClusterSource created = new ClusterSource(settings, timing);
      source = created;
      apply(created.load());
      created.watch(this::apply);
    }

    private synchronized void apply(SourceUpdate update) {
      for (ServiceState state : update.upserted()) {
        services.put(state.key(), state);
      }
      for (ObjectKey key : update.removed()) {
        assertThat(services.remove(key)).as("removed %s", key).isNotNull();
      }
      problems = update.problems();
      nodes = update.nodes();
      updates.add(update);
    }

    /** For each Service its endpoints. */
    synchronized Map<String, List<String>> endpoints() {
      Map<String, List<String>> all = new TreeMap<>();
      services.forEach(
          (key, state) -> {
            List<String> addresses = new ArrayList<>();
            for (EndpointSlice slice : state.slices()) {
              for (Endpoint endpoint : slice.endpoints()) {
                addresses.add(endpoint.address().toString());
              }
            }
            all.put(key.name(), addresses);
          });
      return all;
    }

    synchronized int told() {
      return updates.size();
    }

    synchronized List<SourceUpdate> updatesAfter(int count) {
      return List.copyOf(updates.subList(count, updates.size()));
    }

    synchronized List<Problem> problems() {
      return problems;
    }

    synchronized List<NodeInfo> nodes() {
      return nodes;
    }

    @Override
    public void close() {
      if (source != null) {
        source.close();
      }
    }
  }

  private ClusterSettings anonymous(URI... servers) {
    return new ClusterSettings("node1", new ClusterSettings.Anonymous(), List.of(servers));
  }

  private void follow() throws IOException, InterruptedException {
    follower.follow(anonymous(server.uri()), QUICK);
    eventually(() -> server.count(r -> r.query().contains("watch=true")) >= 3);
  }

  private static void eventually(BooleanSupplier condition) {
    Eventually.within(Duration.ofSeconds(20), () -> assertThat(condition.getAsBoolean()).isTrue());
  }

  private void endpointsBecome(Map<String, List<String>> wanted) {
    eventually(() -> follower.endpoints().equals(wanted));
  }

  @Test
  void asksForWhatKubeProxyAsksFor() throws Exception {
    follow();
    Request services = server.requests.stream().filter(r -> r.isListOf(SERVICES)).findFirst().get();
    assertThat(services.path()).isEqualTo("/api/v1/services");
    assertThat(services.parameter("labelSelector"))
        .isEqualTo("!service.kubernetes.io/service-proxy-name");
    assertThat(services.parameter("fieldSelector")).isEqualTo("spec.clusterIP!=None");
    Request slices = server.requests.stream().filter(r -> r.isListOf(SLICES)).findFirst().get();
    assertThat(slices.path()).isEqualTo("/apis/discovery.k8s.io/v1/endpointslices");
    assertThat(slices.parameter("labelSelector")).isEqualTo("!service.kubernetes.io/headless");
    assertThat(slices.parameter("fieldSelector")).isEmpty();
    Request watch = server.requests.stream().filter(r -> r.isWatchOf(SLICES)).findFirst().get();
    assertThat(watch.parameter("allowWatchBookmarks")).isEqualTo("true");
    assertThat(watch.parameter("labelSelector")).isEqualTo("!service.kubernetes.io/headless");
    assertThat(Integer.parseInt(watch.parameter("timeoutSeconds"))).isBetween(300, 600);
  }

  @Test
  void loadsEverythingAndFollows() throws Exception {
    server.service("one", "10.0.0.1");
    server.slice("one", "one-b", "10.1.0.2");
    server.slice("one", "one-a", "10.1.0.1");
    server.node("node1", "zone-a", "192.168.0.1");
    follow();
    assertThat(follower.endpoints()).isEqualTo(Map.of("one", List.of("10.1.0.1", "10.1.0.2")));
    assertThat(follower.nodes())
        .singleElement()
        .satisfies(
            node -> {
              assertThat(node.name()).isEqualTo("node1");
              assertThat(node.zone()).isEqualTo("zone-a");
              assertThat(node.addresses()).hasToString("[192.168.0.1]");
              assertThat(node.eligible()).isTrue();
            });

    server.service("two", "10.0.0.2");
    server.slice("two", "two-a", "10.1.0.3");
    endpointsBecome(Map.of("one", List.of("10.1.0.1", "10.1.0.2"), "two", List.of("10.1.0.3")));
    server.delete(SLICES, "default", "one-a");
    endpointsBecome(Map.of("one", List.of("10.1.0.2"), "two", List.of("10.1.0.3")));
    server.delete(SERVICES, "default", "two");
    endpointsBecome(Map.of("one", List.of("10.1.0.2")));
    server.node("node2", "zone-b", "192.168.0.2");
    eventually(() -> follower.nodes().size() == 2);
    server.delete(NODES, "", "node1");
    eventually(() -> follower.nodes().size() == 1);
  }

  @Test
  void slicesMayComeBeforeTheirServiceAndOutliveIt() throws Exception {
    server.slice("late", "late-a", "10.1.0.1");
    follow();
    assertThat(follower.endpoints()).isEmpty();
    server.slice("late", "late-b", "10.1.0.2");
    server.service("late", "10.0.0.1");
    endpointsBecome(Map.of("late", List.of("10.1.0.1", "10.1.0.2")));
    server.delete(SERVICES, "default", "late");
    endpointsBecome(Map.of());
    server.service("late", "10.0.0.9");
    endpointsBecome(Map.of("late", List.of("10.1.0.1", "10.1.0.2")));
  }

  @Test
  void sliceMayMoveToAnotherService() throws Exception {
    server.service("one", "10.0.0.1");
    server.service("two", "10.0.0.2");
    server.slice("one", "moving", "10.1.0.1");
    follow();
    server.slice("two", "moving", "10.1.0.1");
    endpointsBecome(Map.of("one", List.of(), "two", List.of("10.1.0.1")));
  }

  @Test
  void whatNobodyNeedsIsNoNews() throws Exception {
    server.service("one", "10.0.0.1");
    server.node("node1", "zone-a", "192.168.0.1");
    follow();
    int before = follower.told();
    server.service("one", "10.0.0.1");
    server.node("node1", "zone-a", "192.168.0.1");
    server.service("two", "10.0.0.2");
    endpointsBecome(Map.of("one", List.of(), "two", List.of()));
    assertThat(follower.updatesAfter(before))
        .allSatisfy(
            update ->
                assertThat(update.upserted())
                    .extracting(s -> s.key().name())
                    .containsExactly("two"));
  }

  @Test
  void changesAreCountedWithTheirCauses() throws Exception {
    Instant later = Instant.now().plusSeconds(60);
    server.service("one", "10.0.0.1");
    server.sliceCausedAt("2026-01-02T03:04:05Z", "one", "one-a", "10.1.0.1");
    follow();
    SourceChanges first = follower.updatesAfter(0).getFirst().changes();
    assertThat(first.services()).isEqualTo(1);
    assertThat(first.endpoints()).isEqualTo(1);
    assertThat(first.triggers()).as("nobody was here then").isEmpty();

    int before = follower.told();
    server.sliceCausedAt(later.toString(), "one", "one-a", "10.1.0.2");
    server.sliceCausedAt("never", "one", "one-b", "10.1.0.3");
    server.sliceCausedAt(later.plusSeconds(1).toString(), "one", "one-a", "10.1.0.2");
    server.service("one", "10.0.0.1"); // as it was
    server.service("two", "10.0.0.2");
    endpointsBecome(Map.of("one", List.of("10.1.0.2", "10.1.0.3"), "two", List.of()));
    SourceChanges then =
        follower.updatesAfter(before).stream()
            .map(SourceUpdate::changes)
            .reduce(SourceChanges.NONE, SourceChanges::plus);
    assertThat(then)
        .isEqualTo(
            new SourceChanges(
                1, 2, List.of(new SourceChanges.Trigger(IpFamily.IPV4, later.toEpochMilli()))));

    int beforeLast = follower.told();
    server.delete(SLICES, "default", "one-a");
    server.delete(SERVICES, "default", "two");
    endpointsBecome(Map.of("one", List.of("10.1.0.3")));
    assertThat(
            follower.updatesAfter(beforeLast).stream()
                .map(SourceUpdate::changes)
                .reduce(SourceChanges.NONE, SourceChanges::plus))
        .isEqualTo(new SourceChanges(1, 1, List.of()));
  }

  @Test
  void requestsAreCountedAsClientGoDoes() throws Exception {
    server.service("one", "10.0.0.1");
    try (ClusterSource source = new ClusterSource(anonymous(server.uri()), QUICK)) {
      source.load();
      source.watch(_ -> {});
      String host = server.uri().getHost() + ":" + server.uri().getPort();
      eventually(
          () ->
              source.requests().counts().stream()
                  .anyMatch(
                      count ->
                          count.host().equals(host)
                              && count.method().equals("GET")
                              && count.code().equals("200")
                              && count.count() >= 6));
      assertThat(source.requests().latencies())
          .singleElement()
          .satisfies(
              latency -> {
                assertThat(latency.method()).isEqualTo("GET");
                assertThat(latency.host()).isEqualTo(host);
                assertThat(latency.seconds().total()).as("lists, no watches").isEqualTo(3);
              });
      server.refuse(403, request -> request.isWatchOf(SERVICES));
      server.cutWatches();
      eventually(
          () -> source.requests().counts().stream().anyMatch(count -> count.code().equals("403")));
    }
  }

  @ParameterizedTest
  @EnumSource(Gone.class)
  void goneBringsAListAndOnlyTheDifferenceIsTold(Gone how) throws Exception {
    server.service("stays", "10.0.0.1");
    server.service("changes", "10.0.0.2");
    server.service("goes", "10.0.0.3");
    server.slice("stays", "stays-a", "10.1.0.1");
    server.slice("changes", "changes-a", "10.1.0.2");
    follow();
    long lists = server.count(r -> r.isListOf(SERVICES));
    int before = follower.told();

    server.silent(true);
    server.delete(SERVICES, "default", "goes");
    server.service("comes", "10.0.0.4");
    server.slice("changes", "changes-a", "10.1.0.22");
    server.compact(how);
    server.silent(false);
    server.cutWatches();

    endpointsBecome(
        Map.of(
            "stays", List.of("10.1.0.1"),
            "changes", List.of("10.1.0.22"),
            "comes", List.of()));
    // The server may have told some of it before it cut the watches; nothing else must be told.
    assertThat(follower.updatesAfter(before))
        .allSatisfy(
            update ->
                assertThat(update.upserted())
                    .extracting(s -> s.key().name())
                    .doesNotContain("stays"));
    eventually(() -> server.count(r -> r.isListOf(SERVICES)) > lists);
    Request list = server.requests.stream().filter(r -> r.isListOf(SERVICES)).toList().getLast();
    assertThat(Long.parseLong(list.parameter("resourceVersion")))
        .as("not older than what was seen")
        .isGreaterThanOrEqualTo(105);
    server.service("after", "10.0.0.5");
    eventually(() -> follower.endpoints().containsKey("after"));
  }

  @Test
  void listThatIsRefusedAsTooOldIsFollowedByTheNewestInPages() throws Exception {
    for (int i = 0; i < 7; i++) {
      server.service("service-" + i, "10.0.0." + (i + 1));
    }
    follow();
    server.pageSize(3);
    server.refuse(410, r -> r.isListOf(SERVICES) && !r.parameter("resourceVersion").isEmpty());
    server.compact(Gone.AS_STATUS);
    server.silent(true);
    server.delete(SERVICES, "default", "service-3");
    server.compact(Gone.AS_STATUS);
    server.cutWatches();
    server.silent(false);
    eventually(() -> follower.endpoints().size() == 6);
    assertThat(server.count(r -> r.isListOf(SERVICES) && !r.parameter("continue").isEmpty()))
        .isGreaterThanOrEqualTo(1);
    assertThat(follower.endpoints()).doesNotContainKey("service-3").containsKey("service-6");
  }

  @Test
  void bookmarkMovesTheWatchOn() throws Exception {
    server.service("one", "10.0.0.1");
    follow();
    for (int i = 0; i < 5; i++) {
      server.node("node" + i, "", "192.168.0." + i);
    }
    server.bookmark(SERVICES);
    eventually(
        () ->
            follower.health().resources().stream()
                .anyMatch(
                    r -> r.name().equals(SERVICES) && Long.parseLong(r.resourceVersion()) >= 107));
    server.compact(Gone.AS_STATUS);
    long lists = server.count(r -> r.isListOf(SERVICES));
    long watches = server.count(r -> r.isWatchOf(SERVICES));
    server.cutWatches();
    eventually(() -> server.count(r -> r.isWatchOf(SERVICES)) > watches);
    server.service("two", "10.0.0.2");
    eventually(() -> follower.endpoints().containsKey("two"));
    assertThat(server.count(r -> r.isListOf(SERVICES))).as("no list").isEqualTo(lists);
  }

  @Test
  void stateStaysWhileTheServerIsAwayAndChangesArriveSoonAfterItsReturn() throws Exception {
    server.service("one", "10.0.0.1");
    server.slice("one", "one-a", "10.1.0.1");
    follow();
    eventually(() -> follower.health().connected());
    int before = follower.told();
    server.stop();
    eventually(() -> !follower.health().connected());
    assertThat(follower.health().reason()).isNotEmpty();
    server.slice("one", "one-a", "10.1.0.2");
    server.service("two", "10.0.0.2");
    TimeUnit.MILLISECONDS.sleep(1500);
    assertThat(follower.told()).as("nothing told meanwhile").isEqualTo(before);

    long back = System.nanoTime();
    server.start();
    endpointsBecome(Map.of("one", List.of("10.1.0.2"), "two", List.of()));
    assertThat(Duration.ofNanos(System.nanoTime() - back)).isLessThan(Duration.ofSeconds(2));
    eventually(() -> follower.health().connected());
    assertThat(follower.health().reason()).isEmpty();
  }

  @Test
  void standardPausesKeepThePromiseOfTwoSeconds() {
    assertThat(Timing.STANDARD.backoffMost()).isLessThanOrEqualTo(Duration.ofSeconds(1));
  }

  @Test
  void waitsForAServerThatIsNotThereYet() throws Exception {
    server.service("one", "10.0.0.1");
    server.stop();
    CompletableFuture<Void> loading =
        CompletableFuture.runAsync(
            () -> {
              try {
                follower.follow(anonymous(server.uri()), QUICK);
              } catch (IOException | InterruptedException e) {
                throw new AssertionError(e);
              }
            });
    TimeUnit.MILLISECONDS.sleep(500);
    assertThat(loading).isNotDone();
    server.start();
    loading.get(20, TimeUnit.SECONDS);
    assertThat(follower.endpoints()).containsOnlyKeys("one");
  }

  @Test
  void closeEndsALoadThatWaits() throws Exception {
    server.stop();
    ClusterSource source = new ClusterSource(anonymous(server.uri()), QUICK);
    CompletableFuture<Object> loading =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return source.load();
              } catch (InterruptedException e) {
                throw new AssertionError(e);
              }
            });
    TimeUnit.MILLISECONDS.sleep(200);
    source.close();
    assertThatThrownBy(() -> loading.get(5, TimeUnit.SECONDS))
        .isInstanceOfAny(ExecutionException.class, CancellationException.class);
  }

  @Test
  void listThatBreaksOffChangesNothing() throws Exception {
    server.service("one", "10.0.0.1");
    server.service("two", "10.0.0.2");
    follow();
    int before = follower.told();
    server.cutListsAfter(500);
    server.silent(true);
    server.delete(SERVICES, "default", "two");
    server.service("three", "10.0.0.3");
    server.compact(Gone.AS_STATUS);
    server.cutWatches();
    server.silent(false);
    long lists = server.count(r -> r.isListOf(SERVICES));
    eventually(() -> server.count(r -> r.isListOf(SERVICES)) >= lists + 3);
    assertThat(follower.told()).isEqualTo(before);
    assertThat(follower.health().connected()).isFalse();
    server.cutListsAfter(-1);
    endpointsBecome(Map.of("one", List.of(), "three", List.of()));
  }

  @Test
  void silentWatchIsBegunAnew() throws Exception {
    server.service("one", "10.0.0.1");
    follower.follow(anonymous(server.uri()), IMPATIENT);
    eventually(() -> server.count(r -> r.isWatchOf(SERVICES)) >= 3);
    assertThat(server.count(r -> r.isListOf(SERVICES))).as("no list").isEqualTo(1);
    server.service("two", "10.0.0.2");
    endpointsBecome(Map.of("one", List.of(), "two", List.of()));
  }

  @Test
  void serverThatHangsIsLeftForAnother() throws Exception {
    try (FakeApiServer other = new FakeApiServer()) {
      server.service("one", "10.0.0.1");
      other.service("one", "10.0.0.1");
      follower.follow(anonymous(server.uri(), other.uri()), IMPATIENT);
      server.hang(true);
      other.service("two", "10.0.0.2");
      endpointsBecome(Map.of("one", List.of(), "two", List.of()));
      assertThat(follower.health().server()).isEqualTo(other.uri().toString());
      server.hang(false);
    }
  }

  @Test
  void burstIsToldInFewPieces() throws Exception {
    int services = 100;
    int rounds = 100;
    for (int i = 0; i < services; i++) {
      server.service("service-" + i, "10.0.1." + i);
      server.slice("service-" + i, "slice-" + i, "10.1.0.1");
    }
    follow();
    int before = follower.told();
    for (int round = 1; round <= rounds; round++) {
      for (int i = 0; i < services; i++) {
        server.slice("service-" + i, "slice-" + i, "10.1." + round + "." + i);
      }
    }
    eventually(
        () -> {
          Map<String, List<String>> now = follower.endpoints();
          for (int i = 0; i < services; i++) {
            if (!List.of("10.1." + rounds + "." + i).equals(now.get("service-" + i))) {
              return false;
            }
          }
          return true;
        });
    int told =
        follower.updatesAfter(before).stream().mapToInt(update -> update.upserted().size()).sum();
    assertThat(told).isBetween(services, services * rounds);
    ClusterHealth.Resource slices = follower.health().resources().getFirst();
    assertThat(slices.events()).isEqualTo(10_000);
    assertThat(slices.lists()).isEqualTo(1);
  }

  @Test
  void oddObjectIsReportedAndHarmsNobody() throws Exception {
    server.service("good", "10.0.0.1");
    server.put(
        SERVICES,
        "default",
        "odd",
        "",
        "{@meta@,\"spec\":{\"clusterIP\":\"10.0.0.2\",\"ports\":\"none\"}}");
    follow();
    assertThat(follower.endpoints()).containsOnlyKeys("good", "odd");
    assertThat(follower.problems())
        .extracting(Problem::toString)
        .containsExactly("Service default/odd: spec.ports: is not a list; ignored");

    server.slice("good", "good-a", "10.1.0.1", "127.0.0.1", "nonsense");
    eventually(() -> follower.problems().size() == 3);
    assertThat(follower.endpoints().get("good")).containsExactly("10.1.0.1");
    assertThat(follower.problems())
        .extracting(Problem::toString)
        .contains(
            "Service default/good: EndpointSlice good-a: endpoints[1].addresses[0]:"
                + " 127.0.0.1 is a loopback address; endpoint ignored");

    server.slice("good", "good-a", "10.1.0.1");
    server.service("odd", "10.0.0.2");
    eventually(() -> follower.problems().isEmpty());
  }

  @Test
  void aPortWhoseNameWasForgottenIsReportedOnTheService() throws Exception {
    server.service("named", "10.0.0.3");
    server.put(
        SLICES,
        "default",
        "named-a",
        "\"kubernetes.io/service-name\":\"named\"",
        "{@meta@,\"addressType\":\"IPv4\",\"endpoints\":[{\"addresses\":[\"10.1.0.1\"]}],"
            + "\"ports\":[{\"name\":\"\",\"port\":8080}]}");
    follow();
    assertThat(follower.problems())
        .extracting(Problem::toString)
        .containsExactly(
            "Service default/named: EndpointSlice named-a: ports: has a port without a name, but"
                + " every port of the Service has one, so nothing leads to it");
    server.slice("named", "named-a", "10.1.0.1");
    eventually(() -> follower.problems().isEmpty());
  }

  @Test
  void problemsBecomeEventsOnce() throws Exception {
    server.service("good", "10.0.0.1");
    server.slice("good", "good-a", "10.1.0.1", "127.0.0.1");
    follow();
    eventually(() -> server.count(r -> r.method().equals("POST")) == 1);
    Request event =
        server.requests.stream().filter(r -> r.method().equals("POST")).findFirst().get();
    assertThat(event.path()).isEqualTo("/apis/events.k8s.io/v1/namespaces/default/events");
    assertThat(event.body())
        .contains(
            "\"regarding\":{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"namespace\":\"default\",\"name\":\"good\",\"uid\":\"uid-of-good\"}",
            "127.0.0.1 is a loopback address",
            "\"type\":\"Warning\"",
            "\"reportingInstance\":\"node1\"");
    server.slice("good", "good-a", "10.1.0.1");
    eventually(() -> follower.problems().isEmpty());
    server.slice("good", "good-a", "10.1.0.1", "127.0.0.1");
    eventually(() -> !follower.problems().isEmpty());
    server.slice("good", "good-a", "10.1.0.1", "127.0.0.2");
    eventually(() -> server.count(r -> r.method().equals("POST")) == 2);
  }

  @Test
  void forbiddenEventsDoNoHarm() throws Exception {
    server.refuse(403, r -> r.method().equals("POST"));
    server.service("good", "10.0.0.1");
    server.slice("good", "good-a", "10.1.0.1", "127.0.0.1");
    follow();
    eventually(() -> server.count(r -> r.method().equals("POST")) == 1);
    server.slice("good", "good-a", "10.1.0.2");
    endpointsBecome(Map.of("good", List.of("10.1.0.2")));
  }

  @Test
  void refusalIsRepeatedUntilItPasses() throws Exception {
    server.service("one", "10.0.0.1");
    server.refuse(403, r -> r.path().endsWith(NODES));
    CompletableFuture<Void> loading =
        CompletableFuture.runAsync(
            () -> {
              try {
                follower.follow(anonymous(server.uri()), QUICK);
              } catch (IOException | InterruptedException e) {
                throw new AssertionError(e);
              }
            });
    eventually(() -> server.count(r -> r.isListOf(NODES)) >= 2);
    assertThat(loading).isNotDone();
    server.refuse(403, _ -> false);
    loading.get(20, TimeUnit.SECONDS);
  }

  @Test
  void serverThatDoesNotKnowTheFieldIsAskedWithout() throws Exception {
    server.refuse(400, r -> !r.parameter("fieldSelector").isEmpty());
    server.service("one", "10.0.0.1");
    server.service("headless", "None");
    follow();
    assertThat(follower.endpoints()).containsOnlyKeys("one", "headless");
    server.service("two", "10.0.0.2");
    eventually(() -> follower.endpoints().containsKey("two"));
  }

  @Test
  void serverMayHaveAPathOfItsOwn() throws Exception {
    server.service("one", "10.0.0.1");
    follower.follow(anonymous(server.uri().resolve("/clusters/blue/")), QUICK);
    assertThat(follower.endpoints()).containsOnlyKeys("one");
    assertThat(server.requests)
        .allSatisfy(r -> assertThat(r.path()).startsWith("/clusters/blue/api"));
  }

  @Test
  void plugInOfAKubeconfigIsAsked() throws Exception {
    Path plugIn = directory.resolve("plug-in");
    Files.writeString(
        plugIn,
        """
        #!/bin/sh
        echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"plugged"}}'
        """);
    assertThat(plugIn.toFile().setExecutable(true)).isTrue();
    kubeconfig(
        "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plug-in,"
            + " interactiveMode: Never}");
    follower.follow(
        new ClusterSettings(
            "node1",
            new ClusterSettings.Kubeconfig(directory.resolve("kubeconfig"), null),
            List.of()),
        QUICK);
    assertThat(server.requests.getFirst().authorization()).isEqualTo("Bearer plugged");
  }

  @Test
  void nextServerTakesOver() throws Exception {
    try (FakeApiServer other = new FakeApiServer()) {
      for (FakeApiServer each : List.of(server, other)) {
        each.service("one", "10.0.0.1");
        each.slice("one", "one-a", "10.1.0.1");
      }
      follower.follow(anonymous(server.uri(), other.uri()), QUICK);
      eventually(() -> follower.health().connected());
      assertThat(follower.health().server()).isEqualTo(server.uri().toString());
      server.stop();
      eventually(() -> other.count(r -> r.query().contains("watch=true")) >= 3);
      other.slice("one", "one-a", "10.1.0.2");
      endpointsBecome(Map.of("one", List.of("10.1.0.2")));
      assertThat(follower.health().server()).isEqualTo(other.uri().toString());
      eventually(() -> follower.health().connected());
    }
  }

  @Test
  void serverThatRefusesConnectionsAtTheStartIsPassedOver() throws Exception {
    try (FakeApiServer other = new FakeApiServer()) {
      other.service("one", "10.0.0.1");
      server.stop();
      follower.follow(anonymous(server.uri(), other.uri()), QUICK);
      assertThat(follower.endpoints()).containsOnlyKeys("one");
    }
  }

  @Test
  void tokenOfAServiceAccountIsReadForEachRequest() throws Exception {
    Files.writeString(directory.resolve("token"), "first\n");
    Files.writeString(directory.resolve("ca.crt"), TestCertificates.create(directory).authority());
    follower.follow(
        new ClusterSettings(
            "node1",
            new ClusterSettings.ServiceAccount(directory, URI.create("https://10.96.0.1:443")),
            List.of(server.uri())),
        QUICK);
    eventually(() -> server.count(r -> r.query().contains("watch=true")) >= 3);
    assertThat(server.requests)
        .allSatisfy(r -> assertThat(r.authorization()).isEqualTo("Bearer first"));
    int before = server.requests.size();
    replace("token", "second\n");
    server.cutWatches();
    eventually(() -> server.requests.size() >= before + 3);
    assertThat(server.requests.subList(before, server.requests.size()))
        .allSatisfy(r -> assertThat(r.authorization()).isEqualTo("Bearer second"));
  }

  @Test
  void changedKubeconfigIsUsedAtOnceWithoutANewList() throws Exception {
    kubeconfig("token: first");
    follower.follow(
        new ClusterSettings(
            "node1",
            new ClusterSettings.Kubeconfig(directory.resolve("kubeconfig"), null),
            List.of()),
        QUICK);
    eventually(() -> server.count(r -> r.query().contains("watch=true")) >= 3);
    kubeconfig("token: second");
    eventually(
        () ->
            server.count(
                    r ->
                        r.query().contains("watch=true")
                            && r.authorization().equals("Bearer second"))
                >= 3);
    assertThat(server.count(r -> r.isListOf(SERVICES))).isEqualTo(1);
    server.service("one", "10.0.0.1");
    endpointsBecome(Map.of("one", List.of()));
  }

  @Test
  void tokenFileOfAKubeconfigIsRead() throws Exception {
    Files.writeString(directory.resolve("my-token"), "from-file");
    kubeconfig("tokenFile: my-token");
    follower.follow(
        new ClusterSettings(
            "node1",
            new ClusterSettings.Kubeconfig(directory.resolve("kubeconfig"), null),
            List.of()),
        QUICK);
    assertThat(server.requests.getFirst().authorization()).isEqualTo("Bearer from-file");
  }

  @Test
  void clientCertificateMayBeReplaced() throws Exception {
    TestCertificates certificates = TestCertificates.create(directory);
    certificates.writeClient("first", directory);
    try (FakeApiServer secure = new FakeApiServer(certificates.server())) {
      secure.service("one", "10.0.0.1");
      Files.writeString(directory.resolve("authority.crt"), certificates.authority());
      Files.writeString(
          directory.resolve("kubeconfig"),
          """
          apiVersion: v1
          kind: Config
          current-context: here
          contexts: [{name: here, context: {cluster: c, user: u}}]
          clusters: [{name: c, cluster: {server: "%s", certificate-authority: authority.crt}}]
          users: [{name: u, user: {client-certificate: client.crt, client-key: client.key}}]
          """
              .formatted(secure.uri()));
      follower.follow(
          new ClusterSettings(
              "node1",
              new ClusterSettings.Kubeconfig(directory.resolve("kubeconfig"), null),
              List.of()),
          QUICK);
      eventually(() -> secure.count(r -> r.query().contains("watch=true")) >= 3);
      assertThat(secure.requests).allSatisfy(r -> assertThat(r.client()).isEqualTo("CN=first"));
      certificates.writeClient("second", directory);
      eventually(
          () ->
              secure.count(r -> r.query().contains("watch=true") && r.client().equals("CN=second"))
                  >= 3);
      assertThat(secure.count(r -> r.isListOf(SERVICES))).isEqualTo(1);
      secure.slice("one", "one-a", "10.1.0.1");
      endpointsBecome(Map.of("one", List.of("10.1.0.1")));
    }
  }

  @Test
  void unusableCredentialsAreNamed() throws Exception {
    Path missing = directory.resolve("missing");
    assertThatThrownBy(
            () ->
                new ClusterSource(
                    new ClusterSettings(
                        "node1", new ClusterSettings.Kubeconfig(missing, null), List.of())))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(missing.toString());
    kubeconfig("token: x");
    assertThatThrownBy(
            () ->
                new ClusterSource(
                    new ClusterSettings(
                        "node1",
                        new ClusterSettings.Kubeconfig(
                            directory.resolve("kubeconfig"), "elsewhere"),
                        List.of())))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("elsewhere");
    Files.writeString(directory.resolve("kubeconfig"), "kind: [\n");
    assertThatThrownBy(
            () ->
                new ClusterSource(
                    new ClusterSettings(
                        "node1",
                        new ClusterSettings.Kubeconfig(directory.resolve("kubeconfig"), null),
                        List.of())))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("kubeconfig");
  }

  private void kubeconfig(String user) throws IOException {
    replace(
        "kubeconfig",
        """
        apiVersion: v1
        kind: Config
        current-context: here
        contexts: [{name: here, context: {cluster: c, user: u}}]
        clusters: [{name: c, cluster: {server: "%s"}}]
        users: [{name: u, user: {%s}}]
        """
            .formatted(server.uri(), user));
  }

  private void replace(String name, String text) throws IOException {
    Path fresh = directory.resolve(name + ".new");
    Files.writeString(fresh, text);
    Files.move(
        fresh,
        directory.resolve(name),
        StandardCopyOption.ATOMIC_MOVE,
        StandardCopyOption.REPLACE_EXISTING);
  }
}
