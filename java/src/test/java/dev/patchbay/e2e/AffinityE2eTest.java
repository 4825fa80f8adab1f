// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.Client;
import dev.patchbay.lab.Client.Kind;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Manifest;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Pod;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** {@code sessionAffinity: ClientIP}: a client is a network namespace. */
@EndToEnd
class AffinityE2eTest {
  /** By chance all choose the same of four backends once in four million times. */
  private static final int CLIENTS = 12;

  private static final int TIMEOUT_SECONDS = 2;

  /**
   * How often a machine that stands still may spoil the rounds of connections before it is over.
   */
  private static final int TRIES = 20;

  @AutoClose private final Lab lab = Lab.create();
  private final Node node = lab.addNode("node1");
  private final List<Pod> servers = node.addServers("s1", "s2", "s3", "s4");
  private final List<Client> clients = new ArrayList<>();

  @BeforeAll
  void start() {
    for (int i = 0; i < CLIENTS; i++) {
      clients.add(node.addPod("client" + i).client());
    }
    node.write("long.yaml", sticky("long", 40, 10800));
    node.write("short.yaml", sticky("short", 41, TIMEOUT_SECONDS));
    node.write("pods.yaml", Manifest.pods("app: server", servers));
    node.startAgent();
  }

  private static String sticky(String name, int number, int seconds) {
    return Manifest.serverService(name, number, "app: server")
        + """
          sessionAffinity: ClientIP
          sessionAffinityConfig:
            clientIP:
              timeoutSeconds: %d
        """
            .formatted(seconds);
  }

  /** Where each client gets with one more connection. */
  private Map<Client, String> choices(String address) {
    Map<Client, String> choices = new LinkedHashMap<>();
    clients.forEach(client -> choices.put(client, client.hit(Kind.TCP, address, Checks.BANNER)));
    assertThat(choices.values()).allMatch(name -> name.matches("s\\d"), "names of servers");
    return choices;
  }

  @ParameterizedTest
  @EnumSource
  void aThousandConnectionsOfOneClientMeetOneBackend(Family family) {
    assertThat(clients.getFirst().hits(Kind.TCP, family.service(40), Checks.BANNER, 1000).values())
        .containsExactly(1000L);
    assertThat(clients.getFirst().hits(Kind.UDP, family.service(40), Checks.UDP, 200).values())
        .containsExactly(200L);
    assertThat(
            clients
                .getFirst()
                .hits(Kind.UDP_UNCONNECTED, family.service(40), Checks.UDP, 200)
                .values())
        .containsExactly(200L);
  }

  @Test
  void allProcessesOfAPodAreOneClient() {
    Client another = clients.getFirst().pod().client();
    String address = Family.IPV4.service(40);
    assertThat(another.hit(Kind.TCP, address, Checks.BANNER))
        .isEqualTo(clients.getFirst().hit(Kind.TCP, address, Checks.BANNER));
  }

  @ParameterizedTest
  @EnumSource
  void clientsAreIndependent(Family family) {
    Map<Client, String> first = choices(family.service(40));
    assertThat(first.values().stream().distinct().count()).isGreaterThan(1);
    for (int i = 0; i < 20; i++) {
      assertThat(choices(family.service(40))).isEqualTo(first);
    }
  }

  @Test
  void theTimeoutRunsFromTheLastConnection() {
    String address = Family.IPV4.service(41);
    long timeout = TimeUnit.SECONDS.toNanos(TIMEOUT_SECONDS);
    long begun = System.nanoTime();
    Map<Client, String> last = choices(address);
    int rounds = 0;
    for (int i = 0; i < TRIES && rounds < 6; i++) {
      Eventually.pause(timeout / 4);
      long next = System.nanoTime();
      Map<Client, String> now = choices(address);
      // The time between two connections of a client is less than that from here to there.
      if (System.nanoTime() - begun < timeout) {
        rounds++;
        assertThat(now).as("refreshed").isEqualTo(last);
      } else {
        rounds = 0;
      }
      last = now;
      begun = next;
    }
    assertThat(rounds).as("connections in a row, each in time").isEqualTo(6);
    Eventually.pause(timeout + timeout / 4);
    // Twelve clients that all return to one of four backends by chance: once in 16 million times.
    assertThat(choices(address)).as("forgotten").isNotEqualTo(last);
  }

  @Test
  void aPodThatDiesIsReplacedAndTheOthersKeepTheirs() {
    String address = Family.IPV4.service(40);
    Map<Client, String> first = choices(address);
    String dead = first.get(clients.getFirst());
    List<Pod> alive = servers.stream().filter(pod -> !pod.name().equals(dead)).toList();
    node.write("pods.yaml", Manifest.pods("app: server", alive));
    Eventually.within(
        Checks.EFFECT, () -> assertThat(choices(address).values()).doesNotContain(dead));
    Map<Client, String> second = choices(address);
    first.forEach(
        (client, name) -> {
          if (!name.equals(dead)) {
            assertThat(second).containsEntry(client, name);
          }
        });
    node.write("pods.yaml", Manifest.pods("app: server", servers));
    Eventually.soon(
        () ->
            assertThat(node.services().backends(address, Checks.BANNER, "tcp"))
                .hasSize(servers.size()));
    for (int i = 0; i < 10; i++) {
      assertThat(choices(address)).as("those that moved stay").isEqualTo(second);
    }
  }

  @Test
  void aPodThatTerminatesIsLeftWhileAnotherIsReady() {
    String address = Family.IPV4.service(40);
    Map<Client, String> first = choices(address);
    String leaving = first.values().iterator().next();
    node.write(
        "pods.yaml", Manifest.of(servers.stream().map(pod -> terminating(pod, leaving)).toArray()));
    Eventually.within(
        Checks.EFFECT, () -> assertThat(choices(address).values()).doesNotContain(leaving));
    node.write("pods.yaml", Manifest.pods("app: server", servers));
  }

  private static Object terminating(Pod pod, String leaving) {
    Manifest.PodManifest manifest = Manifest.pod(pod).label("app: server");
    return pod.name().equals(leaving) ? manifest.terminating() : manifest;
  }

  @Test
  void itSurvivesTheAgent() {
    String address = Family.IPV4.service(40);
    Map<Client, String> first = choices(address);
    node.agent().kill();
    assertThat(choices(address)).as("without an agent").isEqualTo(first);
    node.startAgent();
    assertThat(choices(address)).as("with the next agent").isEqualTo(first);
  }

  @Test
  void itIsSwitchedOnAndOff() {
    String address = Family.IPV4.service(42);
    Client client = clients.getFirst();
    String[] all = servers.stream().map(Pod::name).toArray(String[]::new);
    node.write("switched.yaml", Manifest.serverService("switched", 42, "app: server"));
    Checks.meetsSoon(client, address, all);
    node.write("switched.yaml", sticky("switched", 42, 10800));
    Eventually.within(
        Checks.EFFECT,
        () ->
            assertThat(client.hits(Kind.TCP, address, Checks.BANNER, 50).values())
                .containsExactly(50L));
    node.write("switched.yaml", Manifest.serverService("switched", 42, "app: server"));
    Checks.meetsInTime(client, address, all);
  }
}
