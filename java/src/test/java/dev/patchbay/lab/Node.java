// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A node: a network namespace, a cgroup, a directory of manifests and, when it is started, an
 * agent.
 *
 * <p>The agent runs in the node's namespace and in a cgroup below the node's, because that is how
 * it runs by default, attached to the root of the hierarchy: its own sockets meet its own programs.
 */
public final class Node {
  /** Where the agent serves {@code /healthz}, on the node's loopback. */
  public static final String HEALTHZ = "127.0.0.1:10256";

  /** Where the agent serves {@code /metrics}, on the node's loopback. */
  public static final String METRICS = "127.0.0.1:10249";

  /** How the names of a routing node's interfaces to its Pods begin. */
  public static final String POD_INTERFACES = "pod";

  private static final Duration READY = Duration.ofSeconds(60);
  private static final String READY_LINE = "(?i)\\bready\\b";

  private final Lab lab;
  private final String name;
  private final String namespace;
  private final int number;
  private final Cgroup cgroup;
  private final Pod host;
  private final Pod agentPlace;
  private final Path stateDirectory;
  private volatile boolean routesPods;
  private Path manifests;
  private String binary = Patchbay.binary();
  private Optional<Path> kubeconfig = Optional.empty();
  private Optional<Daemon> agent = Optional.empty();

  Node(Lab lab, String name, String namespace, int number, Cgroup cgroup) {
    this.lab = lab;
    this.name = name;
    this.cgroup = cgroup;
    this.namespace = namespace;
    this.number = number;
    this.host = new Pod(lab, this, name, namespace, number, cgroup.child("host"));
    this.agentPlace = new Pod(lab, this, name, namespace, number, cgroup.child("agent"));
    this.manifests = lab.newDirectory(name + "-manifests");
    this.stateDirectory = lab.newDirectory(name + "-state");
  }

  /** Its name. */
  public String name() {
    return name;
  }

  /** Processes of the node itself, and host-network Pods. */
  public Pod host() {
    return host;
  }

  /** The lab it belongs to. */
  public Lab lab() {
    return lab;
  }

  /** The cgroup that its agent attaches to. */
  public Path cgroup() {
    return cgroup.path();
  }

  /**
   * Makes it a router for the Pods that are added from now on: not on the lab's bridge, but behind
   * it, so that all their packets pass through its namespace, as a proxy that works on packets
   * needs it. Service addresses have a route there, since packets are looked at only if they have
   * one: what nobody translates fails with {@code EHOSTUNREACH} after a while.
   */
  public void routePods() {
    host.exec(
            "sh",
            "-c",
            """
            cd /proc/sys/net
            echo 1 > ipv4/ip_forward
            echo 1 > ipv6/conf/all/forwarding
            echo 0 > ipv4/conf/all/rp_filter
            echo 0 > ipv4/conf/eth0/rp_filter
            echo 1 > ipv4/conf/eth0/proxy_arp
            echo 1 > ipv6/conf/eth0/proxy_ndp
            echo 0 > ipv4/neigh/eth0/proxy_delay
            echo 0 > ipv6/neigh/eth0/proxy_delay
            """)
        .orFail();
    for (Family family : Family.values()) {
      host.ip("route add %s dev eth0%n".formatted(family.serviceRange()));
    }
    routesPods = true;
  }

  boolean routesPods() {
    return routesPods;
  }

  /** Adds a Pod. */
  public Pod addPod(String podName) {
    return lab.addPod(this, podName, cgroup);
  }

  /** Adds a host-network Pod: the node's namespace, a cgroup of its own. */
  public Pod addHostPod(String podName) {
    return new Pod(lab, this, podName, namespace, number, cgroup.child(podName));
  }

  /** Adds Pods that serve HTTP on 8080, banners on 9000, echo on 7000 and UDP on 5000. */
  public List<Pod> addServers(String... names) {
    List<Pod> pods = new ArrayList<>();
    for (String podName : names) {
      Pod pod = addPod(podName);
      pod.serve("--http", "8080", "--banner", "9000", "--echo", "7000", "--udp", "5000");
      pods.add(pod);
    }
    return List.copyOf(pods);
  }

  /** Its directory of pins; the agent makes it. */
  public Path bpfDirectory() {
    return lab.bpfDirectory().resolve(name);
  }

  /** The agent's state directory. */
  public Path stateDirectory() {
    return stateDirectory;
  }

  /** The directory the agent reads. */
  public Path manifests() {
    return manifests;
  }

  /** Makes the agent read another directory, from its next start. */
  public void useManifests(Path directory) {
    manifests = directory;
  }

  /** Makes the agent run from a cluster instead of manifests, from its next start. */
  public void useKubeconfig(Path file) {
    kubeconfig = Optional.of(file);
  }

  /** Makes it run another distribution, from the next start or command on. */
  public void useDistribution(Path home) {
    binary = home.resolve("bin/patchbay").toString();
  }

  /** Writes a manifest the way it should be done: the file appears or changes as a whole. */
  public void write(String file, String text) {
    try {
      Path temporary = manifests.resolve("." + file + ".new");
      Files.writeString(temporary, text);
      Files.move(
          temporary,
          manifests.resolve(file),
          StandardCopyOption.ATOMIC_MOVE,
          StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Removes a manifest. */
  public void delete(String file) {
    try {
      Files.delete(manifests.resolve(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The arguments that the agent of this node gets. */
  public List<String> runArguments(String... more) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "run",
                kubeconfig.map(file -> "--kubeconfig=" + file).orElse("--manifests=" + manifests),
                "--node-name=" + name,
                "--cgroup=" + cgroup.path(),
                "--bpf-dir=" + bpfDirectory(),
                "--state-dir=" + stateDirectory,
                "--devices=none",
                "--metrics-bind-address=" + METRICS,
                "--healthz-bind-address=" + HEALTHZ));
    arguments.addAll(List.of(more));
    return arguments;
  }

  /** Starts the agent and waits until it is ready; see {@link #awaitAgent}. */
  public Daemon startAgent(String... more) {
    launchAgent(more);
    return awaitAgent();
  }

  /**
   * Waits until the agent that was started last says that it is ready, and has left the names of
   * what it programmed for commands that read, which it does beside that.
   */
  public Daemon awaitAgent() {
    Daemon ready = agent().awaitOut(READY_LINE, READY);
    Path snapshot = stateDirectory.resolve("snapshot.json");
    Eventually.within(
        READY,
        () -> {
          if (!ready.isAlive()) {
            throw new IllegalStateException("the agent has ended:\n" + ready.err());
          }
          assertThat(snapshot).content().contains("\"pid\":" + ready.pid() + ",");
        });
    return ready;
  }

  /** Starts the agent and does not wait. */
  public Daemon launchAgent(String... more) {
    List<String> command = new ArrayList<>(List.of(binary));
    command.addAll(runArguments(more));
    Daemon started = agentPlace.start(command.toArray(String[]::new));
    agent = Optional.of(started);
    return started;
  }

  /** The agent that was started last. */
  public Daemon agent() {
    return agent.orElseThrow(() -> new AssertionError("no agent was started on " + name));
  }

  /** The agent that was started last, if any was. */
  public Optional<Daemon> lastAgentIfAny() {
    return agent;
  }

  /** Runs {@code patchbay run --once}. */
  public Result runOnce(String... more) {
    List<String> command = new ArrayList<>(List.of(binary));
    command.addAll(runArguments(more));
    command.add("--once");
    return agentPlace.exec(command.toArray(String[]::new));
  }

  /** Runs a command that reads: {@code patchbay COMMAND --bpf-dir ... --state-dir ... MORE}. */
  public Result read(String command, String... more) {
    List<String> line =
        new ArrayList<>(
            List.of(
                binary, command, "--bpf-dir=" + bpfDirectory(), "--state-dir=" + stateDirectory));
    line.addAll(List.of(more));
    return host.exec(line.toArray(String[]::new));
  }

  /** Runs {@code patchbay cleanup} for this node. */
  public Result cleanup() {
    return host.exec(binary, "cleanup", "--bpf-dir=" + bpfDirectory(), "--cgroup=" + cgroup.path());
  }

  /** Runs {@code patchbay validate} over its manifests. */
  public Result validate() {
    return host.exec(binary, "validate", "--manifests=" + manifests);
  }

  /** What is programmed in the kernel. */
  public Programmed services() {
    return Programmed.parse(read("services", "-o", "json").orFail().out());
  }

  @Override
  public String toString() {
    return name;
  }
}
