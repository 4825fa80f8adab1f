// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A place where processes run: a network namespace and a cgroup. A Pod has a namespace of its own;
 * a host-network Pod has its node's.
 */
public final class Pod {
  private static final Duration READY = Duration.ofSeconds(60);
  private static final String PYTHON = "/usr/bin/python3";

  private final Lab lab;
  private final Node node;
  private final String name;
  private final String namespace;
  private final int number;
  private final Cgroup cgroup;

  Pod(Lab lab, Node node, String name, String namespace, int number, Cgroup cgroup) {
    this.lab = lab;
    this.node = node;
    this.name = name;
    this.namespace = namespace;
    this.number = number;
    this.cgroup = cgroup;
  }

  /** Its name, also the one its server answers with. */
  public String name() {
    return name;
  }

  /** Where it runs. */
  public Node node() {
    return node;
  }

  /** Its address. */
  public String address(Family family) {
    return family.pod(number);
  }

  /** Its IPv4 address. */
  public String ipv4() {
    return address(Family.IPV4);
  }

  /** Its IPv6 address. */
  public String ipv6() {
    return address(Family.IPV6);
  }

  /** Its cgroup. */
  public Path cgroup() {
    return cgroup.path();
  }

  /** The file that stands for its network namespace. */
  public Path namespace() {
    return Path.of(Lab.namespaceFile(namespace));
  }

  /** Runs {@code ip} commands, one a line, in its network namespace. */
  public void ip(String commands) {
    lab.ip(namespace, commands);
  }

  /** Gives it an address outside the cluster's ranges as well; every namespace can reach those. */
  public void addOutsideAddress(int outside) {
    lab.ip(
        namespace,
        "addr add %s/32 dev eth0%naddr add %s/128 dev eth0 nodad%n"
            .formatted(Family.IPV4.outside(outside), Family.IPV6.outside(outside)));
  }

  /** The command line that runs a command here. */
  List<String> entering(List<String> command) {
    List<String> line =
        new ArrayList<>(
            List.of(
                "/bin/sh",
                "-c",
                "echo $$ > \"$1/cgroup.procs\" && ns=$2 && shift 2 && exec nsenter --net=\"$ns\" -- \"$@\"",
                "sh",
                cgroup.path().toString(),
                Lab.namespaceFile(namespace)));
    line.addAll(command);
    return line;
  }

  /** Runs a command to its end. */
  public Result exec(String... command) {
    return Commands.run(Commands.PATIENCE, entering(List.of(command)), "");
  }

  /** Runs a command with an input to its end. */
  public Result feed(String input, String... command) {
    return Commands.run(Commands.PATIENCE, entering(List.of(command)), input);
  }

  /** Starts a command that goes on running. */
  public Daemon start(String... command) {
    return new Daemon(
        entering(List.of(command)), lab.newFile(name, "out"), lab.newFile(name, "err"));
  }

  /**
   * Starts a command that is talked to: its standard input and output are the caller's, who has to
   * end it. What it says on standard error appears on this process's.
   */
  public Process open(String... command) {
    try {
      return new ProcessBuilder(entering(List.of(command)))
          .redirectError(ProcessBuilder.Redirect.INHERIT)
          .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Starts the test server with its name and the options given; see {@code server.py}. */
  public Daemon serve(String... options) {
    return serveAs(name, options);
  }

  /** Starts the test server under another name. */
  public Daemon serveAs(String serverName, String... options) {
    List<String> command = new ArrayList<>(List.of(PYTHON, script("server.py"), serverName));
    command.addAll(List.of(options));
    return start(command.toArray(String[]::new)).awaitOut("^ready$", READY);
  }

  /**
   * Starts the server that names the address and port at which it was reached; see {@code
   * mirror.py}.
   */
  public Daemon mirror(int... ports) {
    List<String> command = new ArrayList<>(List.of(PYTHON, script("mirror.py")));
    IntStream.of(ports).mapToObj(String::valueOf).forEach(command::add);
    return start(command.toArray(String[]::new)).awaitOut("^ready$", READY);
  }

  /** Starts the test client. */
  public Client client() {
    Client client = new Client(entering(List.of(PYTHON, script("client.py"))), this);
    lab.onClose(client::close);
    return client;
  }

  /** GETs a URL with curl; no proxy, at most twenty seconds. */
  public Result curl(String url) {
    return exec("curl", "--silent", "--show-error", "--noproxy", "*", "--max-time", "20", url);
  }

  /** Kills whatever runs here. The namespace and its addresses stay. */
  public void killProcesses() {
    cgroup.killProcesses();
  }

  /**
   * Kills whatever runs here and removes its cgroup and, unless it is its node's, its namespace.
   * Its addresses are not given to anybody else.
   */
  public void remove() {
    cgroup.remove();
    if (!namespace.equals(node.host().namespace)) {
      lab.removeNamespace(namespace);
    }
  }

  /** Path of a script that tests bring along. */
  public static String script(String file) {
    URL url = Pod.class.getResource("/lab/" + file);
    if (url == null) {
      throw new AssertionError("no test resource lab/" + file);
    }
    try {
      return Path.of(url.toURI()).toString();
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public String toString() {
    return name;
  }
}
