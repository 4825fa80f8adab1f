// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.BpfTool;
import dev.patchbay.lab.Client;
import dev.patchbay.lab.Client.Kind;
import dev.patchbay.lab.Daemon;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Json;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Manifest;
import dev.patchbay.lab.Mounts;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Patchbay;
import dev.patchbay.lab.Pod;
import dev.patchbay.lab.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What others break is seen within ten seconds, told by {@code /healthz}, {@code status} and the
 * log, and mended where that can be done.
 */
@EndToEnd
class HealthE2eTest {
  private static final Duration START = Duration.ofSeconds(60);

  /** How soon damage is seen. What others do on the machine can only make it slower. */
  private static final Duration SEEN = Duration.ofSeconds(10);

  private static final Duration PATIENCE = Duration.ofSeconds(40);

  /** A check stays red for ten seconds, and is looked at again within five. */
  private static final Duration GREEN = Duration.ofSeconds(60);

  private static final String ADDRESS = Family.IPV4.service(10);
  private static final List<String> CANARIES = List.of("canary-ipv4", "canary-ipv6");

  @AutoClose private final Lab lab = Lab.create();
  private final Node node = lab.addNode("node1");
  private final List<Pod> pods = node.addServers("a", "b");
  private final Client client = node.addPod("client").client();

  /** How long each damage took to be seen. */
  private final List<Duration> seen = new ArrayList<>();

  @BeforeEach
  void manifests() {
    node.write("service.yaml", Manifest.serverService("kubia", 10, "app: kubia"));
    node.write("pods.yaml", Manifest.pods("app: kubia", pods));
  }

  @AfterEach
  void removeEverything() throws IOException {
    node.lastAgentIfAny().ifPresent(Daemon::kill);
    node.cleanup().orFail();
    Files.deleteIfExists(node.manifests().resolve("more.yaml"));
    node.host().exec("ip", "addr", "replace", "::1/128", "dev", "lo").orFail();
  }

  @AfterAll
  void damageWasSeenInTime() {
    seen.sort(null);
    System.out.println("damage was seen after " + seen);
    if (!seen.isEmpty()) {
      assertThat(seen.get(seen.size() / 2)).as("median of %s", seen).isLessThan(SEEN);
    }
  }

  /** An answer of the agent's. */
  private record Answer(int code, Json body) {
    List<String> failing() {
      List<String> names = new ArrayList<>();
      body.get("failing").elements().forEach(name -> names.add(name.text()));
      return names;
    }

    Json check(String name) {
      return body.get("checks").elements().stream()
          .filter(check -> check.get("name").text().equals(name))
          .findFirst()
          .orElseThrow(() -> new AssertionError("no check " + name + " in " + body));
    }

    String status(String name) {
      return check(name).get("status").text();
    }
  }

  private Answer get(String page) {
    String out =
        node.host()
            .exec(
                "curl",
                "--silent",
                "--noproxy",
                "*",
                "--max-time",
                "20",
                "--write-out",
                "\n%{http_code}",
                "http://" + Node.HEALTHZ + page)
            .orFail()
            .out();
    int line = out.lastIndexOf('\n');
    return new Answer(
        Integer.parseInt(out.substring(line + 1).strip()), Json.parse(out.substring(0, line)));
  }

  private Answer healthz() {
    return get("/healthz");
  }

  /** Starts the agent and waits until each check has been made and passes. */
  private Daemon startHealthy(String... more) {
    Daemon agent = node.startAgent(more);
    Eventually.within(
        PATIENCE,
        () -> {
          Answer answer = healthz();
          assertThat(answer.code()).as(answer.toString()).isEqualTo(200);
          for (String canary : CANARIES) {
            assertThat(answer.status(canary)).isEqualTo("ok");
          }
          assertThat(answer.status("rows")).isEqualTo("ok");
          assertThat(answer.status("programs")).isEqualTo("ok");
        });
    return agent;
  }

  /** Waits until a check is red, and alive all the same. */
  private Answer awaitRed(String check) {
    Answer[] red = new Answer[1];
    seen.add(
        Eventually.within(
            PATIENCE,
            () -> {
              Answer answer = healthz();
              assertThat(answer.code()).as(answer.toString()).isEqualTo(503);
              assertThat(answer.failing()).contains(check);
              red[0] = answer;
            }));
    assertThat(get("/livez").code()).isEqualTo(200);
    return red[0];
  }

  private void awaitGreen() {
    Eventually.within(
        GREEN,
        () -> {
          Answer answer = healthz();
          assertThat(answer.code()).as(answer.toString()).isEqualTo(200);
        });
  }

  /** The log of the agent tells that a check failed, was repaired and passes again. */
  private void assertLogged(String check, boolean repaired) {
    Eventually.soon(
        () -> {
          String log = node.agent().err();
          assertThat(log).contains("health check " + check + " fails: ");
          assertThat(log).contains("health check " + check + " passes again after ");
          if (repaired) {
            assertThat(log).contains("health check " + check + " repaired: ");
          }
        });
  }

  private void assertServed() {
    for (Kind kind : Kind.values()) {
      Checks.meets(client, kind, ADDRESS, "a", "b");
      Checks.meets(client, kind, Family.IPV6.service(10), "a", "b");
    }
  }

  /** Red is seen before what makes it red is repaired. */
  private void awaitServed() {
    Eventually.soon(this::assertServed);
  }

  private Path pin(String kind, String name) {
    try (Stream<Path> versions = Files.list(node.bpfDirectory())) {
      return versions.findFirst().orElseThrow().resolve(kind).resolve(name);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private void bpftool(String... arguments) {
    List<String> line = new ArrayList<>(List.of("bpftool"));
    line.addAll(List.of(arguments));
    node.host().exec(line.toArray(String[]::new)).orFail();
  }

  private Json checkOfStatus(String name) {
    Json status = Json.parse(node.read("status", "-o", "json").out());
    return status.get("health").get("checks").elements().stream()
        .filter(check -> check.get("name").text().equals(name))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void allIsWellAndTheCanaryIsNobodysBusiness() {
    startHealthy();
    assertThat(node.agent().out()).containsPattern("services=1 frontends=8 ");
    assertThat(node.read("services").orFail().out()).doesNotContain("192.0.0.8", "100::8");
    Result status = node.read("status").orFail();
    assertThat(status.out()).contains("every check passes", "yes, maps and snapshot agree");
    Eventually.soon(
        () -> assertThat(checkOfStatus("canary-ipv6").get("status").text()).isEqualTo("ok"));
    assertThat(node.agent().err()).doesNotContain("health check");

    Daemon first = node.agent();
    first.kill();
    assertThat(node.read("status").orFail().out()).contains("every check passes");
    startHealthy();
    assertThat(node.agent().err()).doesNotContain("health check");
  }

  @Test
  void aLinkThatSomebodyDetached() {
    startHealthy();
    for (String program : List.of("pb_connect4", "pb_recvmsg6")) {
      bpftool("link", "detach", "pinned", pin("links", program).toString());
      Answer red = awaitRed("programs");
      assertThat(red.check("programs").get("detail").text()).contains(program, "detached");
      awaitServed();
      assertThat(BpfTool.attached(node.cgroup())).containsEntry("connect4", 1);
      awaitGreen();
      assertLogged("programs", true);
    }
    node.read("status").orFail();
  }

  @Test
  void anotherToolThatDetachesByNumber() {
    startHealthy();
    BpfTool.detachAll(node.cgroup());
    awaitRed("programs");
    Eventually.soon(
        () ->
            assertThat(BpfTool.attached(node.cgroup()))
                .containsEntry("connect4", 1)
                .containsEntry("post_bind6", 1));
    awaitServed();
    awaitGreen();
    assertLogged("programs", true);
  }

  @Test
  void pinsThatSomebodyRemovedOrReplaced() throws IOException {
    startHealthy();
    client.startLoad("load", Kind.TCP, ADDRESS, Checks.BANNER);
    Files.delete(pin("links", "pb_connect4"));
    Files.delete(pin("maps", "backends"));
    Files.delete(pin("maps", "frontends"));
    BpfTool.pinMap(pin("maps", "frontends"));
    awaitRed("programs");
    Eventually.soon(
        () -> assertThat(node.services().backends(ADDRESS, Checks.BANNER, "tcp")).hasSize(2));
    assertThat(client.stopLoad("load").outcomes()).containsOnlyKeys("a", "b");
    Eventually.soon(() -> assertThat(pin("links", "pb_connect4")).exists());
    awaitGreen();
    assertLogged("programs", true);
    node.agent().kill();
    assertServed(); // the link has its pin again
  }

  @Test
  void aProgramOfSomebodyElseIsToldAndMakesNothingRed() throws IOException {
    Files.createDirectories(lab.bpfDirectory());
    Path foreign = lab.bpfDirectory().resolve("foreign-link");
    startHealthy();
    BpfTool.attach(node.cgroup(), foreign);
    Eventually.soon(
        () ->
            assertThat(healthz().check("programs").find("detail").map(Json::text))
                .hasValueSatisfying(
                    detail ->
                        assertThat(detail).contains("somebody_else", "runs after pb_connect4")));
    assertThat(healthz().code()).isEqualTo(200);
    Files.delete(foreign);
  }

  @Test
  void aFrontendThatSomebodyDeleted() {
    startHealthy();
    BpfTool.deleteFrontend(pin("maps", "frontends"), ADDRESS, Checks.BANNER, "tcp");
    Answer red = awaitRed("rows");
    assertThat(red.check("rows").get("detail").text()).contains(ADDRESS, "missing");
    awaitServed();
    awaitGreen();
    assertLogged("rows", true);
    assertThat(node.agent().err()).contains("kind=frontend_missing");
  }

  @Test
  void aFrontendThatSomebodyAlteredOrAdded() {
    startHealthy();
    Path map = pin("maps", "frontends");
    BpfTool.putFrontend(map, ADDRESS, Checks.BANNER, "tcp", 999);
    BpfTool.putFrontend(map, Family.IPV4.service(99), 80, "tcp", 0);
    Answer red = awaitRed("rows");
    assertThat(red.check("rows").get("detail").text()).contains("10.96.0.");
    // Two, or one and then the other, if rows were compared when only one had been altered.
    Eventually.soon(
        () ->
            assertThat(healthz().check("rows").get("detail").text())
                .containsPattern("put right: [12]"));
    awaitServed();
    Eventually.soon(
        () ->
            assertThat(node.services().rows())
                .noneMatch(row -> row.frontend().contains(Family.IPV4.service(99))));
    awaitGreen();
    assertLogged("rows", true);
    assertThat(node.agent().err()).contains("kind=frontend_altered", "kind=frontend_foreign");
  }

  @Test
  void servicesAndBackendsThatSomebodyAltered() {
    startHealthy();
    BpfTool.zero(pin("maps", "services"), 1);
    awaitRed("rows");
    awaitServed();
    awaitGreen();
    BpfTool.zero(pin("maps", "backends"), 8);
    awaitRed("rows");
    awaitServed();
    awaitGreen();
    assertLogged("rows", true);
    assertThat(node.agent().err()).contains("kind=service_altered", "kind=backends_altered");
  }

  @Test
  void theCanaryThatDoesNotComeBack() {
    startHealthy();
    node.host().exec("ip", "addr", "del", "::1/128", "dev", "lo").orFail();
    Answer red = awaitRed("canary-ipv6");
    assertThat(red.check("canary-ipv6").get("detail").text()).contains("[100::8]:7/tcp");
    assertThat(red.status("canary-ipv4")).isEqualTo("ok");
    Eventually.soon(
        () -> {
          Result status = node.read("status");
          assertThat(status.exit()).isEqualTo(1);
          assertThat(status.out()).contains("NOT: canary-ipv6");
        });
    node.host().exec("ip", "addr", "add", "::1/128", "dev", "lo").orFail();
    awaitGreen();
    assertLogged("canary-ipv6", false);
  }

  @Test
  void aNodeWithoutIpv6() {
    node.host().exec("ip", "addr", "del", "::1/128", "dev", "lo").orFail();
    node.startAgent();
    Eventually.within(
        PATIENCE,
        () -> {
          Answer answer = healthz();
          assertThat(answer.code()).isEqualTo(200);
          assertThat(answer.status("canary-ipv6")).isEqualTo("not-run");
          assertThat(answer.status("canary-ipv4")).isEqualTo("ok");
        });
    Eventually.soon(
        () ->
            assertThat(node.read("status").orFail().out())
                .contains("canary-ipv6 not-run: this node has no"));
  }

  @Test
  void anAgentOutsideOfTheCgroupItServes() {
    Pod outside = node.addHostPod("outside");
    Path served = outside.cgroup();
    List<String> line = new ArrayList<>(List.of(Patchbay.binary()));
    line.addAll(node.runArguments());
    line.replaceAll(arg -> arg.startsWith("--cgroup=") ? "--cgroup=" + served : arg);
    Daemon agent = node.host().start(line.toArray(String[]::new)).awaitOut("^ready", START);
    Eventually.within(
        PATIENCE,
        () -> {
          Answer answer = healthz();
          assertThat(answer.code()).as(answer.toString()).isEqualTo(200);
          for (String canary : CANARIES) {
            assertThat(answer.status(canary)).isEqualTo("not-run");
            assertThat(answer.check(canary).get("detail").text()).contains("outside of " + served);
          }
        });
    agent.kill();
    node.host()
        .exec(
            Patchbay.binary(), "cleanup", "--bpf-dir=" + node.bpfDirectory(), "--cgroup=" + served)
        .orFail();
    outside.remove();
  }

  @Test
  void aMapThatIsFull() {
    node.startAgent("--max-frontends=20");
    Eventually.within(PATIENCE, () -> assertThat(healthz().code()).isEqualTo(200));
    node.write("more.yaml", Manifest.serverService("more", 11, "app: kubia"));
    Answer red = awaitRed("capacity");
    assertThat(red.check("capacity").get("detail").text())
        .contains("default/more", "frontends is full");
    Eventually.within(
        PATIENCE,
        () -> assertThat(healthz().status("canary-ipv4")).isEqualTo("not-run")); // gave way
    awaitServed();
    Eventually.soon(() -> assertThat(node.read("status").out()).contains("NOT: capacity"));
    node.delete("more.yaml");
    awaitGreen();
    Eventually.within(PATIENCE, () -> assertThat(healthz().status("canary-ipv4")).isEqualTo("ok"));
    assertLogged("capacity", false);
  }

  @Test
  void aServiceThatWantsAReservedAddress() {
    node.write(
        "more.yaml",
        Manifest.serverService("more", 11, "app: kubia") + "  externalIPs: [192.0.0.8]\n");
    startHealthy();
    assertThat(node.agent().err()).contains("address 192.0.0.8 is not served");
    assertServed();
  }

  /** A container that has its own part of the hierarchy where the host has all of it. */
  @Test
  void attachedBelowTheRealRoot() {
    Pod container = node.addHostPod("container");
    List<String> line =
        new ArrayList<>(
            List.of(
                "unshare",
                "--cgroup",
                "--mount",
                "/bin/sh",
                "-c",
                """
                umount -l "$1" && mount -t cgroup2 none "$1" || exit 1
                test "$(stat -c %i "$1")" != 1 || exit 1
                shift; exec "$@"
                """,
                "sh",
                Mounts.first("cgroup2").orElseThrow().toString(),
                Patchbay.binary()));
    node.runArguments().stream().filter(arg -> !arg.startsWith("--cgroup=")).forEach(line::add);
    Daemon agent = container.start(line.toArray(String[]::new)).awaitOut("^ready", START);
    try {
      Answer red = awaitRed("cgroup-root");
      assertThat(red.check("cgroup-root").get("detail").text()).contains("--cgroup");
      assertThat(agent.err()).contains("health check cgroup-root fails: ");
    } finally {
      agent.kill();
      node.host()
          .exec(
              Patchbay.binary(),
              "cleanup",
              "--bpf-dir=" + node.bpfDirectory(),
              "--cgroup=" + container.cgroup())
          .orFail();
      container.remove();
    }
    startHealthy();
  }
}
