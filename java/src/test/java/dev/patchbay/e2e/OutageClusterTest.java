// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.Client;
import dev.patchbay.lab.Client.Kind;
import dev.patchbay.lab.Client.LoadReport;
import dev.patchbay.lab.Daemon;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Json;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Outcome;
import dev.patchbay.lab.Patchbay;
import dev.patchbay.lab.Pod;
import dev.patchbay.lab.cluster.ApiClient;
import dev.patchbay.lab.cluster.ApiObjects;
import dev.patchbay.lab.cluster.AuditEvent;
import dev.patchbay.lab.cluster.ClientCertificate;
import dev.patchbay.lab.cluster.Cluster;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The API server goes away, forgets, and no longer takes what it took: nothing of it is felt. */
@EndToEnd
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class OutageClusterTest {
  private static final Duration AWAY =
      Duration.ofSeconds(Patchbay.setting("patchbay.outage.seconds", 60));

  /** How soon after the API server's return what changed meanwhile is promised to be in effect. */
  private static final Duration PROMISE = Duration.ofSeconds(2);

  /** How soon it has to be, each time: the machine may be busy with two API servers. */
  private static final Duration EFFECT = Duration.ofSeconds(10);

  private static final Duration PACE = Duration.ofMillis(5);
  private static final String USER = "outage-agent";
  private static final String SLICES =
      "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
  private static final String SERVICES = "/api/v1/namespaces/default/services";

  @AutoClose private final Lab lab = Lab.create();
  private final Cluster cluster = Cluster.startApiServer(lab);
  private final Node node = lab.addNode("node");
  private final Pod a = node.addServers("a").getFirst();
  private final Pod b = node.addServers("b").getFirst();
  private final Client client = node.addPod("client").client();
  private final Client observer = node.addPod("observer").client();

  /** How long it took each time. */
  private final List<Duration> returns = new ArrayList<>();

  @BeforeAll
  void startAgent() {
    cluster.join(node, "");
    create("stays", a, b);
    create("changes", a);
    node.useKubeconfig(cluster.kubeconfig(USER, "system:masters"));
    node.startAgent();
  }

  /** What others do on the machine can only make it slower, so it has to hold once. */
  @AfterAll
  void thePromiseWasKept() {
    System.out.println("outage: changes in effect after the return: " + returns);
    if (!returns.isEmpty()) {
      assertThat(returns).anyMatch(time -> time.compareTo(PROMISE) <= 0);
    }
  }

  // --- The cluster ------------------------------------------------------------------------------

  private String create(String service, Pod... endpoints) {
    return create(cluster.api(), service, endpoints);
  }

  private static String create(ApiClient api, String service, Pod... endpoints) {
    String address = api.create(ApiObjects.service(service)).get("spec").get("clusterIP").text();
    api.create(slice(service, endpoints));
    return address;
  }

  private static Map<String, ?> slice(String service, Pod... endpoints) {
    return ApiObjects.slice(service, List.of(endpoints).stream().map(Pod::ipv4).toList());
  }

  private String address(String service) {
    return cluster.api().get(SERVICES + "/" + service).get("spec").get("clusterIP").text();
  }

  // --- What a client and a probe see ------------------------------------------------------------

  private void meets(String address, String... names) {
    assertThat(observer.hits(Kind.TCP, address, 80, 10 * names.length))
        .as("at %s", address)
        .containsOnlyKeys(names);
  }

  private Duration meetsWithin(Duration limit, String address, String... names) {
    return Eventually.within(limit, () -> meets(address, names));
  }

  private static Json healthz(Node of) {
    String answer =
        of.host()
            .exec(
                "curl",
                "--silent",
                "--noproxy",
                "*",
                "--max-time",
                "20",
                "--write-out",
                "\n%{http_code}",
                "http://" + Node.HEALTHZ + "/healthz")
            .orFail()
            .out();
    int end = answer.lastIndexOf('\n');
    assertThat(answer.substring(end + 1)).as(answer).isEqualTo("200");
    return Json.parse(answer.substring(0, end));
  }

  private void startLoads(String address) {
    client.startLoad("tcp", Kind.TCP, address, 80, PACE);
    client.startLoad("udp", Kind.UDP, address, 53, PACE);
    client.startLoad("udp-unconnected", Kind.UDP_UNCONNECTED, address, 53, PACE);
  }

  /** No exchange failed, and there were as many as the time and a busy machine allow. */
  private void endLoads(Duration took, String... names) {
    for (String load : List.of("tcp", "udp", "udp-unconnected")) {
      LoadReport report = client.stopLoad(load);
      System.out.printf("outage: %s: %d exchanges in %s%n", load, report.attempts(), took);
      assertThat(report.outcomes()).as(load).containsOnlyKeys(names);
      assertThat(report.attempts()).as(load).isGreaterThan(took.toMillis() / 100);
    }
  }

  private static Duration since(long nanoTime) {
    return Duration.ofNanos(System.nanoTime() - nanoTime);
  }

  // --- Away -------------------------------------------------------------------------------------

  @Test
  void nothingBreaksWhileTheApiServerIsDeadAndChangesArriveOnItsReturn() {
    String changes = address("changes");
    String goes = create("goes", a);
    Eventually.soon(() -> meets(goes, "a"));
    Eventually.soon(() -> assertThat(healthz(node).find("source")).isEmpty());
    Daemon agent = node.agent();
    startLoads(address("stays"));
    long begin = System.nanoTime();
    cluster.killApiServer();
    Eventually.soon(
        () ->
            assertThat(healthz(node).get("source").text())
                .startsWith("no connection to the API server " + cluster.server()));

    ApiClient other = cluster.startOtherApiServer();
    other.replace(slice("changes", b));
    other.delete(SERVICES + "/goes");
    other.delete(SLICES + "/goes-1");
    String fresh = create(other, "fresh", b);
    while (since(begin).compareTo(AWAY) < 0) {
      assertThat(healthz(node).find("source")).as("health").isPresent();
      meets(changes, "a");
      meets(goes, "a");
      Eventually.pause(TimeUnit.MILLISECONDS.toNanos(500));
    }
    Duration away = since(begin);
    cluster.startApiServer();
    long back = System.nanoTime();
    meetsWithin(EFFECT, changes, "b");
    meetsWithin(EFFECT.minus(since(back)), fresh, "b");
    meetsWithin(EFFECT.minus(since(back)), goes, Outcome.NOT_TRANSLATED);
    returns.add(since(back));
    System.out.printf(
        "outage: away for %s, all changes in effect %s after its return%n", away, since(back));
    Eventually.soon(() -> assertThat(healthz(node).find("source")).isEmpty());
    endLoads(since(begin), "a", "b");
    assertThat(agent.isAlive()).isTrue();
    cluster.killOtherApiServer();
    cluster.api().replace(slice("changes", a));
    meetsWithin(EFFECT, changes, "a");
  }

  /** Connections that do not end, because nobody says so, are worse than those that do. */
  @Test
  void nothingBreaksWhileTheApiServerCannotBeReached() {
    String cut = create("cut", a);
    Eventually.soon(() -> meets(cut, "a"));
    startLoads(address("stays"));
    long begin = System.nanoTime();
    cluster.place().ip("link set eth0 down");
    cluster.api().replace(slice("cut", b));
    while (since(begin).compareTo(Duration.ofSeconds(8)) < 0) {
      healthz(node);
      meets(cut, "a");
      Eventually.pause(TimeUnit.MILLISECONDS.toNanos(500));
    }
    cluster.place().ip("link set eth0 up");
    // The kernel sends what was lost again after a pause as long as the silence was.
    Duration after = meetsWithin(Duration.ofSeconds(60), cut, "b");
    System.out.printf("outage: cut off, and the change in effect %s after%n", after);
    endLoads(since(begin), "a", "b");
  }

  // --- Forgetful --------------------------------------------------------------------------------

  @Test
  void allIsReadAgainWhenTheStoreHasForgottenThePast() {
    String moved = create("moved", a);
    String removed = create("removed", a);
    Eventually.soon(() -> meets(moved, "a"));
    Eventually.soon(() -> meets(removed, "a"));
    Set<String> kinds = Set.of("services", "endpointslices", "nodes");
    long listsBefore = lists();
    startLoads(address("stays"));
    long begin = System.nanoTime();
    ApiClient other = cluster.startOtherApiServer();
    cluster.killApiServer();
    other.replace(slice("moved", b));
    other.delete(SERVICES + "/removed");
    other.delete(SLICES + "/removed-1");
    cluster.forgetThePast(); // kills it once more, which is no error
    long back = System.nanoTime();
    meetsWithin(EFFECT, moved, "b");
    meetsWithin(EFFECT.minus(since(back)), removed, Outcome.NOT_TRANSLATED);
    returns.add(since(back));
    endLoads(since(begin), "a", "b");
    cluster.killOtherApiServer();
    // It did not only go on watching: it was told that it cannot.
    assertThat(lists()).isGreaterThanOrEqualTo(listsBefore + kinds.size());
    assertThat(node.agent().isAlive()).isTrue();
    cluster.api().replace(slice("moved", a));
    meetsWithin(EFFECT, moved, "a");
  }

  private long lists() {
    return cluster.auditLog().stream()
        .filter(event -> event.user().equals(USER) && event.verb().equals("list"))
        .filter(event -> event.code() == 200)
        .count();
  }

  // --- Credentials ------------------------------------------------------------------------------

  /** What was valid at the start is not any more, and the API server asks everybody again. */
  @Test
  void credentialsAreReplacedWhileTheAgentRuns() {
    Duration validity = Duration.ofSeconds(45);
    Node byCertificate = lab.addNode("by-certificate");
    Node byToken = lab.addNode("by-token");
    cluster
        .api()
        .create(
            Map.of(
                "apiVersion",
                "v1",
                "kind",
                "ServiceAccount",
                "metadata",
                Map.of("name", "reader")));
    cluster
        .api()
        .create(
            Map.of(
                "apiVersion",
                "rbac.authorization.k8s.io/v1",
                "kind",
                "ClusterRoleBinding",
                "metadata",
                Map.of("name", "reader"),
                "roleRef",
                Map.of(
                    "apiGroup",
                    "rbac.authorization.k8s.io",
                    "kind",
                    "ClusterRole",
                    "name",
                    "cluster-admin"),
                "subjects",
                List.of(
                    Map.of("kind", "ServiceAccount", "name", "reader", "namespace", "default"))));
    Path directory = lab.newDirectory("credentials");
    ClientCertificate inUse =
        new ClientCertificate(directory.resolve("tls.crt"), directory.resolve("tls.key"));
    Path token = directory.resolve("token");

    put(cluster.issue("rotated", validity, "system:masters"), inUse);
    write(token, cluster.shortToken("default", "reader", validity));
    Instant expiry = Instant.now().plus(validity);
    byCertificate.useKubeconfig(cluster.kubeconfig(inUse));
    byToken.useKubeconfig(cluster.kubeconfig(token));
    Daemon first = byCertificate.launchAgent();
    Daemon second = byToken.launchAgent();
    first.awaitOut("^ready", Duration.ofSeconds(30));
    second.awaitOut("^ready", Duration.ofSeconds(30));
    assertThat(Instant.now()).as("both are ready before").isBefore(expiry);

    put(cluster.issue("rotated", Duration.ofHours(1), "system:masters"), inUse);
    write(token, cluster.token("default", "reader", Duration.ofHours(1)));
    // The API server remembers for ten seconds that it took a token.
    Eventually.pause(Duration.between(Instant.now(), expiry).plusSeconds(11).toNanos());
    Eventually.soon(
        () -> assertThat(first.err()).contains("credentials for the API server changed"));

    cluster.killApiServer();
    cluster.startApiServer();
    String service = create("after-rotation", b);
    for (Node each : List.of(byCertificate, byToken)) {
      Eventually.within(
          EFFECT,
          () ->
              assertThat(each.services().backends(service, 80, "tcp"))
                  .containsExactly(b.ipv4() + ":9000"));
      Eventually.soon(() -> assertThat(healthz(each).find("source")).isEmpty());
    }
    assertThat(first.isAlive()).isTrue();
    assertThat(second.isAlive()).isTrue();
    Set<String> refused = new TreeSet<>();
    for (AuditEvent event : cluster.auditLog()) {
      if (event.code() == 401) {
        refused.add(event.uri());
      }
    }
    assertThat(refused).as("requests with credentials that had expired").isEmpty();
  }

  private static void put(ClientCertificate from, ClientCertificate to) {
    write(to.key(), read(from.key()));
    write(to.certificate(), read(from.certificate()));
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void write(Path file, String text) {
    try {
      Path temporary = file.resolveSibling("." + file.getFileName());
      Files.writeString(temporary, text);
      Files.move(
          temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
