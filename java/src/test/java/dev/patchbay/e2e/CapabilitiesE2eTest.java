// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.deploy.KubernetesManifests;
import dev.patchbay.lab.BpfTool;
import dev.patchbay.lab.Client;
import dev.patchbay.lab.Client.Kind;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Manifest;
import dev.patchbay.lab.Mounts;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Outcome;
import dev.patchbay.lab.Patchbay;
import dev.patchbay.lab.Pod;
import dev.patchbay.lab.Result;
import dev.patchbay.lab.Sock;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The agent with the privileges that the DaemonSet gives it, and no more: its capabilities, no way
 * to gain others, a root file system and a cgroup hierarchy that are read-only, a mount namespace
 * and a cgroup namespace of its own.
 */
@EndToEnd
class CapabilitiesE2eTest {
  private static final String ADDRESS = Family.IPV4.service(10);

  @AutoClose private final Lab lab = Lab.create();
  private final Node node = lab.addNode("node1");
  private final List<Pod> pods = node.addServers("a", "b");
  private final Client client = node.addPod("client").client();

  @BeforeEach
  void manifests() {
    node.write("service.yaml", Manifest.serverService("kubia", 10, "app: kubia"));
    show("a", "b");
  }

  @AfterEach
  void removeEverything() {
    node.cleanup().orFail();
  }

  private void show(String... names) {
    node.write(
        "pods.yaml",
        Manifest.pods(
            "app: kubia",
            pods.stream().filter(pod -> List.of(names).contains(pod.name())).toList()));
  }

  /** Runs Patchbay as a container with these capabilities would. */
  private Result confined(List<String> capabilities, List<String> arguments) {
    String set =
        capabilities.stream()
            .map(name -> ",+" + name.toLowerCase(Locale.ROOT))
            .collect(Collectors.joining("", "-all", ""));
    List<String> command =
        new ArrayList<>(
            List.of(
                "unshare",
                "--mount",
                "--cgroup",
                "/bin/sh",
                "-ec",
                """
                state=$1; cgroups=$2; set=$3; shift 3
                mount --bind "$state" "$state"
                mount -o remount,bind,ro "$cgroups"
                mount -o remount,bind,ro /
                ! touch "$cgroups/written" /written 2>/dev/null
                touch "$state/written"
                exec setpriv --bounding-set="$set" --inh-caps=-all --no-new-privs -- "$@"
                """,
                "sh",
                node.stateDirectory().toString(),
                Mounts.first("cgroup2").orElseThrow().toString(),
                set,
                Patchbay.binary()));
    command.addAll(arguments);
    return node.host().exec(command.toArray(String[]::new));
  }

  private Result confined(String... arguments) {
    return confined(KubernetesManifests.capabilities(), List.of(arguments));
  }

  private Result runOnce(List<String> capabilities, String... more) {
    List<String> arguments = node.runArguments("--once");
    arguments.addAll(List.of(more));
    return confined(capabilities, arguments);
  }

  private Result runOnce() {
    return runOnce(KubernetesManifests.capabilities());
  }

  /** {@code SYS_ADMIN} includes others, so that nobody lacks these who has it. */
  private static List<String> without(String capability) {
    List<String> rest = new ArrayList<>(KubernetesManifests.capabilities());
    assertThat(rest.removeAll(List.of("SYS_ADMIN", capability))).isTrue();
    return rest;
  }

  @Test
  void theAgentStartsStartsAgainAndIsRead() {
    runOnce().orFail();
    for (Kind kind : Kind.values()) {
      Checks.meets(client, kind, ADDRESS, "a", "b");
      Checks.meets(client, kind, Family.IPV6.service(10), "a", "b");
    }
    for (String command : List.of("status", "services")) {
      confined(command, "--bpf-dir=" + node.bpfDirectory(), "--state-dir=" + node.stateDirectory())
          .orFail();
    }

    // The second one finds links, and puts its programs behind them.
    show("b");
    runOnce().orFail();
    Checks.meets(client, Kind.TCP, ADDRESS, "b");
    assertThat(BpfTool.attached(node.cgroup())).containsEntry("connect4", 1);
    assertThat(node.read("status").orFail().out()).contains("all effective");
  }

  @Test
  void theAgentRemovesWhatItMade() {
    runOnce().orFail();
    Result result =
        confined(
                without("SYS_ADMIN"),
                List.of("cleanup", "--bpf-dir=" + node.bpfDirectory(), "--cgroup=" + node.cgroup()))
            .orFail();
    assertThat(result.out()).contains("finding them takes CAP_SYS_ADMIN");
    assertThat(node.bpfDirectory()).doesNotExist();
    assertThat(BpfTool.attached(node.cgroup()).values()).containsOnly(0);
    assertThat(client.hit(Kind.TCP, ADDRESS, Checks.BANNER)).isEqualTo(Outcome.NOT_TRANSLATED);
  }

  @Test
  void checkFindsNothingMissing() {
    Result result =
        confined("check", "--cgroup=" + node.cgroup(), "--bpf-dir=" + node.bpfDirectory());
    assertThat(result.orFail().out()).contains("The agent can run here.");
  }

  @ParameterizedTest
  @ValueSource(strings = {"BPF", "NET_ADMIN", "PERFMON"})
  void withoutOneOfThemTheAgentSaysWhichAtOnce(String capability) {
    Result result = runOnce(without(capability));
    assertThat(result.exit()).as(result.toString()).isEqualTo(1);
    assertThat(result.err().lines().filter(line -> !line.isBlank()))
        .singleElement()
        .asString()
        .contains("grant [CAP_" + capability + "]");
    assertThat(node.bpfDirectory()).doesNotExist();
  }

  @Test
  void withoutSysAdminItLeavesSocketsOfPodsAndSaysSo() {
    show("a");
    runOnce().orFail();
    try (Client onHost = node.host().client();
        Sock ofPod = client.udp(Family.IPV4);
        Sock ofHost = onHost.udp(Family.IPV4)) {
      for (Sock sock : List.of(ofPod, ofHost)) {
        assertThat(sock.connect(ADDRESS, Checks.UDP)).isEqualTo(Outcome.OK);
        assertThat(sock.exchange("x")).isEqualTo("a");
      }
      show("b");
      Result result = runOnce(without("SYS_ADMIN")).orFail();
      assertThat(result.err()).contains("sockets in other network namespaces", "CAP_SYS_ADMIN");
      assertThat(ofHost.receive()).isEqualTo("ECONNABORTED");
      assertThat(ofPod.exchange("x")).isEqualTo("a");

      assertThat(runOnce().orFail().err()).doesNotContain("CAP_SYS_ADMIN");
      assertThat(ofPod.receive()).isEqualTo("ECONNABORTED");
    }
    Result check =
        confined(
            without("SYS_ADMIN"),
            List.of("check", "--cgroup=" + node.cgroup(), "--bpf-dir=" + node.bpfDirectory()));
    assertThat(check.orFail().out())
        .containsPattern("absent +other network namespaces .*grant CAP_SYS_ADMIN");
  }

  @Test
  void withoutSysResourceItRunsAndCannotLowerItsOomScoreButRaiseIt() {
    List<String> rest = without("SYS_RESOURCE");
    Result lowered = runOnce(rest, "--oom-score-adj=-1000");
    assertThat(lowered.exit()).as(lowered.toString()).isEqualTo(1);
    assertThat(lowered.err()).contains("--oom-score-adj -1000", "CAP_SYS_RESOURCE");

    runOnce(rest, "--oom-score-adj=1000").orFail();
    Checks.meets(client, Kind.TCP, ADDRESS, "a", "b");
  }
}
