// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A set of nodes on one bridge.
 *
 * <p>Every namespace of a lab hangs on a bridge in a namespace of the lab's own. There is no
 * interface in the machine's namespace and no default route in any of the lab's, so nothing leaves
 * it, and a connection to a Service address that is not translated fails at once with {@code
 * ENETUNREACH} ({@link Outcome#NOT_TRANSLATED}), which nothing else does.
 *
 * <p>All names carry {@code patchbay-test-PID-N}, with the process that made them. Closing removes
 * everything, also from a shutdown hook; what a killed process left behind is removed by the next
 * one that makes a lab. Nodes and Pods may be added by several threads; one of them closes it.
 */
public final class Lab implements AutoCloseable {
  private static final Path NETNS = Path.of("/run/netns");
  private static final Path BPFFS = Path.of("/sys/fs/bpf");
  private static final String PREFIX = "patchbay-test-";
  private static final Pattern OURS = Pattern.compile(PREFIX + "(\\d+)-\\d+(-.*)?");
  private static final AtomicInteger LABS = new AtomicInteger();
  private static final Set<Lab> OPEN = ConcurrentHashMap.newKeySet();

  private final String id;
  private final Path directory;
  private final Cgroup cgroup;
  private final List<String> namespaces = new CopyOnWriteArrayList<>();
  private final List<Node> nodes = new CopyOnWriteArrayList<>();
  private final List<Runnable> closers = new CopyOnWriteArrayList<>();
  private final List<Supplier<String>> logs = new CopyOnWriteArrayList<>();
  private final AtomicInteger numbers = new AtomicInteger(1);
  private final AtomicInteger files = new AtomicInteger();

  private Lab(String id) {
    this.id = id;
    try {
      directory = Files.createTempDirectory(id + "-");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    cgroup = Cgroup.create(Cgroup.mount().resolve(id));
  }

  /** Makes an empty lab. */
  public static Lab create() {
    if (!"root".equals(System.getProperty("user.name"))) {
      throw new AssertionError(
          "this test makes network namespaces and cgroups: run it as root (sudo make test)");
    }
    int number = LABS.incrementAndGet();
    if (number == 1) {
      mountBpf();
      removeLeftovers();
      Runtime.getRuntime()
          .addShutdownHook(new Thread(() -> List.copyOf(OPEN).forEach(Lab::close), "lab-clean-up"));
    }
    Lab lab = new Lab(PREFIX + ProcessHandle.current().pid() + "-" + number);
    OPEN.add(lab);
    String bridge = lab.addNamespace("bridge");
    lab.ip(bridge, "link add br0 type bridge mcast_snooping 0%nlink set br0 up%n".formatted());
    return lab;
  }

  /** Whether the kernel was built with MPTCP; Linux 5.10 of some distributions was not. */
  public static boolean kernelHasMptcp() {
    return Files.exists(Path.of("/proc/sys/net/mptcp/enabled"));
  }

  /** The labs that are open now. */
  static Set<Lab> open() {
    return Set.copyOf(OPEN);
  }

  /** Its nodes. */
  List<Node> nodes() {
    return List.copyOf(nodes);
  }

  /** Adds a node: a namespace, a cgroup and a place for an agent that is not started yet. */
  public Node addNode(String name) {
    String namespace = addNamespace(name);
    int number = connect(namespace);
    Node node = new Node(this, name, namespace, number, cgroup.child(name));
    nodes.add(node);
    return node;
  }

  Pod addPod(Node node, String name, Cgroup parent) {
    String namespace = addNamespace(name);
    int number = node.routesPods() ? connectBehind(node, namespace) : connect(namespace);
    return new Pod(this, node, name, namespace, number, parent.child(name));
  }

  private String addNamespace(String name) {
    String namespace = id + "-" + name;
    Commands.run("ip", "netns", "add", namespace);
    namespaces.add(namespace);
    return namespace;
  }

  void removeNamespace(String namespace) {
    if (namespaces.remove(namespace)) {
      Commands.run("ip", "netns", "del", namespace);
    }
  }

  /** Connects a namespace to the bridge and gives the number of its addresses. */
  private int connect(String namespace) {
    int number = numbers.incrementAndGet();
    String port = "port" + number;
    ip(
        namespaces.getFirst(),
        """
        link add %s type veth peer name eth0 netns %s
        link set %s master br0 up
        """
            .formatted(port, namespace, port));
    Family v4 = Family.IPV4;
    Family v6 = Family.IPV6;
    ip(
        namespace,
        """
        link set lo up
        addr add %s/%d dev eth0
        addr add %s/%d dev eth0 nodad
        link set eth0 up
        route add %s dev eth0
        route add %s dev eth0
        """
            .formatted(
                v4.pod(number),
                v4.prefix(),
                v6.pod(number),
                v6.prefix(),
                v4.outsideRange(),
                v6.outsideRange()));
    return number;
  }

  /**
   * Connects a namespace to its node, which routes for it, and gives the number of its addresses.
   * All that it sends and gets passes through the node's namespace.
   */
  private int connectBehind(Node node, String namespace) {
    int number = numbers.incrementAndGet();
    String port = Node.POD_INTERFACES + number;
    Family v4 = Family.IPV4;
    Family v6 = Family.IPV6;
    node.host()
        .ip(
            """
            link add %1$s type veth peer name eth0 netns %2$s
            addr add fe80::1/64 dev %1$s nodad
            link set %1$s up
            route add %3$s dev %1$s src %5$s
            route add %4$s dev %1$s
            neigh add proxy %4$s dev eth0
            """
                .formatted(
                    port, namespace, v4.pod(number), v6.pod(number), node.host().address(v4)));
    StringBuilder commands =
        new StringBuilder(
            """
            link set lo up
            addr add %s/32 dev eth0
            addr add %s/128 dev eth0 nodad
            link set eth0 up
            route add %s dev eth0
            """
                .formatted(v4.pod(number), v6.pod(number), node.host().address(v4)));
    for (Family family : Family.values()) {
      String gateway = family == v4 ? node.host().address(v4) : "fe80::1";
      for (String range :
          List.of(family.podRange(), family.serviceRange(), family.outsideRange())) {
        commands.append("route add %s via %s dev eth0%n".formatted(range, gateway));
      }
    }
    ip(namespace, commands.toString());
    return number;
  }

  /** Runs {@code ip} commands, one a line, in a namespace. */
  void ip(String namespace, String commands) {
    Commands.feed(commands, "ip", "-n", namespace, "-batch", "-");
  }

  static String namespaceFile(String namespace) {
    return NETNS.resolve(namespace).toString();
  }

  /** Name that nobody else uses. */
  String id() {
    return id;
  }

  /** Where the pins of all its nodes are. */
  public Path bpfDirectory() {
    return BPFFS.resolve(id);
  }

  /** A directory for files of the lab; removed with it. */
  public Path directory() {
    return directory;
  }

  /** A new directory below {@link #directory()}. */
  public Path newDirectory(String name) {
    try {
      return Files.createDirectories(directory.resolve(name + "-" + files.incrementAndGet()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A file that does not exist yet. */
  Path newFile(String name, String suffix) {
    return directory.resolve(name + "-" + files.incrementAndGet() + "." + suffix);
  }

  /**
   * Has something done when the lab is closed, before anything of it is removed; last one first.
   */
  public void onClose(Runnable action) {
    closers.add(action);
  }

  /** Has a text printed when a test fails while the lab is open. */
  public void onFailure(Supplier<String> log) {
    logs.add(log);
  }

  /** What {@link #onFailure} was told. */
  List<Supplier<String>> logs() {
    return List.copyOf(logs);
  }

  /** Kills all processes and removes everything. May be called again. */
  @Override
  public void close() {
    if (!OPEN.remove(this)) {
      return;
    }
    List.copyOf(closers).reversed().forEach(Runnable::run);
    cgroup.killProcesses();
    if (Files.isDirectory(bpfDirectory())) {
      deleteTree(bpfDirectory());
    }
    List.copyOf(namespaces).reversed().forEach(this::removeNamespace);
    cgroup.remove();
    deleteTree(directory);
  }

  private static void mountBpf() {
    if (Mounts.first("bpf").isEmpty()) {
      Commands.run("mount", "-t", "bpf", "bpf", BPFFS.toString());
    }
  }

  private static void removeLeftovers() {
    leftovers(Cgroup.mount()).forEach(path -> Cgroup.existing(path).remove());
    leftovers(BPFFS).forEach(Lab::deleteTree);
    leftovers(NETNS)
        .forEach(path -> Commands.run("ip", "netns", "del", path.getFileName().toString()));
    leftovers(Path.of(System.getProperty("java.io.tmpdir"))).forEach(Lab::deleteTree);
  }

  /** What processes that are gone have left in a directory. */
  private static List<Path> leftovers(Path parent) {
    List<Path> found = new ArrayList<>();
    if (!Files.isDirectory(parent)) {
      return found;
    }
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(parent)) {
      for (Path entry : entries) {
        Matcher name = OURS.matcher(entry.getFileName().toString());
        if (name.matches() && ProcessHandle.of(Long.parseLong(name.group(1))).isEmpty()) {
          found.add(entry);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return found;
  }

  /** Deletes a directory and what is in it; follows no links. */
  public static void deleteTree(Path root) {
    try {
      Files.walkFileTree(
          root,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                throws IOException {
              Files.delete(file);
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException failure)
                throws IOException {
              if (failure != null) {
                throw failure;
              }
              Files.delete(directory);
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
