// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.inspect.Invariants;
import dev.patchbay.kernel.KernelException;
import dev.patchbay.kernel.PinnedDataplane;
import dev.patchbay.lab.Client;
import dev.patchbay.lab.Client.Kind;
import dev.patchbay.lab.Commands;
import dev.patchbay.lab.Daemon;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Manifest;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Patchbay;
import dev.patchbay.lab.Pod;
import dev.patchbay.lab.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * System calls of the agent fail, and what it stands on goes away: Services go on as they were, a
 * line says what is wrong, and once the cause has gone all is well again without help.
 *
 * <p>{@code strace} makes the calls fail. {@code -Dpatchbay.faults.all=true} fails the first, the
 * last and one in the middle of each kind, with each error; otherwise one of each kind, with one.
 */
@EndToEnd
@Timeout(1800)
class FaultsE2eTest {
  private static final String ADDRESS = Family.IPV4.service(10);
  private static final boolean ALL = Boolean.getBoolean("patchbay.faults.all");
  private static final Pattern BPF = Pattern.compile("(\\d+) +bpf\\((BPF_\\w+).*");

  /** Errors that bpf(2) may give for any command: no memory, no permission, nonsense. */
  private static final List<String> ERRORS = List.of("ENOMEM", "EPERM", "EINVAL", "EBUSY");

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  @AutoClose private final Lab lab = Lab.create();
  private final Node node = lab.addNode("node1");
  private final List<Pod> servers = node.addServers("a", "b");
  private final Client client = node.addPod("client").client();

  @BeforeEach
  void begin() {
    node.write("service.yaml", Manifest.serverService("kubia", 10, "app: kubia"));
    node.write("pods.yaml", Manifest.pods("app: kubia", servers));
  }

  @AfterEach
  void removeEverything() {
    node.lastAgentIfAny().ifPresent(Daemon::kill);
    node.cleanup().orFail();
  }

  private void startLoads() {
    client.startLoad("tcp", Kind.TCP, ADDRESS, Checks.BANNER, Duration.ofMillis(2));
    client.startLoad("udp", Kind.UDP_UNCONNECTED, ADDRESS, Checks.UDP, Duration.ofMillis(2));
  }

  private void assertUndisturbed(String what) {
    for (String load : List.of("tcp", "udp")) {
      assertThat(client.stopLoad(load).outcomes())
          .as("%s: %s", what, load)
          .containsOnlyKeys("a", "b");
    }
  }

  private void assertWhole(String what) {
    try (PinnedDataplane left = PinnedDataplane.open(node.bpfDirectory())) {
      assertThat(Invariants.check(left.load())).as(what).isEmpty();
    } catch (KernelException e) {
      throw new AssertionError(what, e);
    }
  }

  private Result straced(String... options) {
    List<String> command = new ArrayList<>(List.of("strace", "-f", "--seccomp-bpf"));
    command.addAll(List.of(options));
    command.add(Patchbay.binary());
    command.addAll(node.runArguments("--once"));
    return node.host().exec(command.toArray(String[]::new));
  }

  /** The numbers, among all calls of the thread that makes most, of the calls of each command. */
  private Map<String, List<Integer>> commands() throws IOException {
    Path trace = lab.directory().resolve("calls");
    straced("-e", "trace=bpf", "-o", trace.toString()).orFail();
    Map<String, List<Integer>> commands = new LinkedHashMap<>();
    Map<String, Integer> calls = new LinkedHashMap<>();
    for (String line : Files.readAllLines(trace)) {
      Matcher matcher = BPF.matcher(line);
      if (matcher.matches()) {
        int number = calls.merge(matcher.group(1), 1, Integer::sum);
        commands.computeIfAbsent(matcher.group(2), _ -> new ArrayList<>()).add(number);
      }
    }
    return commands;
  }

  private static List<Integer> some(List<Integer> numbers) {
    int middle = numbers.get(numbers.size() / 2);
    return ALL ? List.of(numbers.getFirst(), middle, numbers.getLast()) : List.of(middle);
  }

  /**
   * The agent starts although a call failed, or it says in one line what did and ends. Either way
   * Services are as they were, and the next start needs no help.
   */
  @Test
  void eachCommandOfBpfFailsAtTheStart() throws IOException {
    node.runOnce().orFail();
    Map<String, List<Integer>> commands = commands();
    assertThat(commands).hasSizeGreaterThan(8).containsKeys("BPF_OBJ_GET", "BPF_LINK_UPDATE");
    startLoads();
    int kind = 0;
    int survived = 0;
    int runs = 0;
    for (Map.Entry<String, List<Integer>> entry : commands.entrySet()) {
      List<String> errors = ALL ? ERRORS : List.of(ERRORS.get(kind++ % ERRORS.size()));
      for (String error : errors) {
        for (int number : some(entry.getValue())) {
          String what = entry.getKey() + ", number " + number + ", fails with " + error;
          Result result =
              straced(
                  "-o",
                  "/dev/null",
                  "-e",
                  "trace=bpf",
                  "-e",
                  "inject=bpf:error=" + error + ":when=" + number);
          runs++;
          if (result.exit() == 0) {
            survived++;
          } else {
            assertThat(result.exit()).as("%s: %s", what, result).isEqualTo(1);
            assertThat(result.err().lines().filter(line -> line.startsWith("patchbay: ")))
                .as("%s: %s", what, result)
                .singleElement()
                .asString()
                .hasSizeGreaterThan(30)
                .doesNotContain("internal error");
          }
          assertWhole(what);
        }
      }
      node.runOnce().orFail();
    }
    assertUndisturbed("calls that fail at the start");
    node.read("status").orFail();
    System.out.printf(
        "faults: %d starts with a call of bpf(2) that fails, %d of them went on%n", runs, survived);
  }

  /** A kind of call, which ones of it are Patchbay's own, and how it may fail. */
  private record FileCall(String name, Pattern ours, List<String> errors) {
    FileCall(String name, String ours, String... errors) {
      this(name, Pattern.compile(ours), List.of(errors));
    }
  }

  /** Nothing is left, or all of it: a start that fails has not begun, as far as one can see. */
  @Test
  void callsForFilesAndMemoryFailAtTheFirstStart() throws IOException {
    String pins = node.bpfDirectory().toString();
    List<FileCall> kinds =
        List.of(
            new FileCall("mkdir", pins, "ENOSPC", "EPERM", "EROFS"),
            new FileCall("symlink", pins, "ENOMEM", "EPERM"),
            new FileCall("flock", "flock", "ENOLCK", "EINTR"),
            new FileCall("rename", node.stateDirectory().toString(), "ENOSPC", "EIO"),
            new FileCall("getsockopt", "SO_NETNS_COOKIE|0x47", "ENOPROTOOPT", "EPERM"));
    Path trace = lab.directory().resolve("files");
    straced("-e", "trace=mkdir,symlink,flock,rename,getsockopt", "-o", trace.toString()).orFail();
    node.cleanup().orFail();
    List<String> lines = Files.readAllLines(trace);
    int runs = 0;
    int survived = 0;
    int turn = 0;
    for (FileCall kind : kinds) {
      List<Integer> numbers = new ArrayList<>();
      Map<String, Integer> calls = new LinkedHashMap<>();
      for (String line : lines) {
        String[] parts = line.split(" +", 2);
        if (parts.length == 2 && parts[1].startsWith(kind.name() + "(")) {
          int number = calls.merge(parts[0], 1, Integer::sum);
          if (kind.ours().matcher(parts[1]).find()) {
            numbers.add(number);
          }
        }
      }
      assertThat(numbers).as(kind.toString()).isNotEmpty();
      List<String> errors =
          ALL ? kind.errors() : List.of(kind.errors().get(turn++ % kind.errors().size()));
      for (String error : errors) {
        for (int number : some(numbers)) {
          String what = kind.name() + ", number " + number + ", fails with " + error;
          Result result =
              straced(
                  "-o",
                  "/dev/null",
                  "-e",
                  "trace=" + kind.name(),
                  "-e",
                  "inject=" + kind.name() + ":error=" + error + ":when=" + number);
          runs++;
          if (result.exit() == 0) {
            survived++;
            Checks.meets(client, Kind.TCP, ADDRESS, "a", "b");
          } else {
            assertThat(result.exit()).as("%s: %s", what, result).isEqualTo(1);
            assertThat(result.err().lines().filter(line -> line.startsWith("patchbay: ")))
                .as("%s: %s", what, result)
                .singleElement()
                .asString()
                .doesNotContain("internal error");
          }
          node.runOnce().orFail();
          Checks.meets(client, Kind.TCP, ADDRESS, "a", "b");
          node.cleanup().orFail();
          assertThat(node.bpfDirectory()).as(what).doesNotExist();
        }
      }
    }
    System.out.printf(
        "faults: %d first starts with another call that fails, %d of them went on%n",
        runs, survived);
  }

  /** A file or directory that cannot be opened once. */
  @Test
  void whatTheAgentOpensAtItsFirstStartCannotBeOpened() {
    Map<Path, List<String>> files = new LinkedHashMap<>();
    files.put(node.manifests(), List.of("EMFILE", "EACCES", "EIO"));
    files.put(node.manifests().resolve("service.yaml"), List.of("EIO", "EMFILE", "EACCES"));
    files.put(node.stateDirectory().resolve("agent.lock"), List.of("EROFS", "ENOSPC", "EMFILE"));
    files.put(
        node.stateDirectory().resolve(".snapshot.json.tmp"), List.of("ENOSPC", "EROFS", "EMFILE"));
    files.put(node.cgroup(), List.of("ENFILE", "EACCES", "ENOMEM"));
    files.put(Path.of("/proc/self/mounts"), List.of("ENOMEM", "EMFILE", "EACCES"));
    // what services and backends are mapped through
    files.put(Path.of("anon_inode:bpf-map"), List.of("ENOMEM", "EPERM", "EAGAIN"));
    files.forEach(
        (file, errors) -> {
          String call = file.startsWith("anon_inode:bpf-map") ? "mmap" : "openat";
          for (String error : ALL ? errors : errors.subList(0, 1)) {
            String what = call + " of " + file + " fails with " + error;
            Result result =
                straced(
                    "-o",
                    "/dev/null",
                    "-P",
                    file.toString(),
                    "-e",
                    "trace=" + call,
                    "-e",
                    "inject=" + call + ":error=" + error + ":when=1");
            if (result.exit() != 0) {
              assertThat(result.exit()).as("%s: %s", what, result).isEqualTo(1);
              assertThat(result.err().lines().filter(line -> line.startsWith("patchbay: ")))
                  .as("%s: %s", what, result)
                  .singleElement()
                  .asString()
                  .doesNotContain("internal error");
            } else {
              assertThat(result.err()).as("%s: %s", what, result).containsIgnoringCase("wa");
            }
            node.runOnce().orFail();
            Checks.meets(client, Kind.TCP, ADDRESS, "a", "b");
            node.cleanup().orFail();
          }
        });
  }

  /** Two sets of endpoints in turn, so that each change is one. */
  private void change(int number) {
    node.write(
        "extra.yaml", Manifest.serverService("extra" + number, 20 + number % 2, "app: kubia"));
  }

  private void assertInForce(int number) {
    String there = Family.IPV4.service(20 + number % 2);
    String gone = Family.IPV4.service(20 + (number + 1) % 2);
    Eventually.within(
        PATIENCE,
        () -> {
          assertThat(client.hit(Kind.TCP, there, Checks.BANNER)).isIn("a", "b");
          assertThat(client.hit(Kind.TCP, gone, Checks.BANNER)).isEqualTo("ENETUNREACH");
        });
  }

  /** Each thread of a running agent fails at its next call of a kind; then all is well again. */
  @Test
  void callsFailWhileTheAgentRuns() {
    Map<String, List<String>> faults = new LinkedHashMap<>();
    faults.put("bpf", List.of("ENOMEM", "EPERM", "E2BIG", "EBUSY"));
    faults.put("openat", List.of("EMFILE", "EACCES", "EIO"));
    faults.put("read", List.of("EINTR"));
    faults.put("rename", List.of("ENOSPC", "EROFS"));
    faults.put("write", List.of("ENOSPC", "EIO"));
    faults.put("poll", List.of("ENOMEM", "EINTR"));
    faults.put("epoll_wait", List.of("EINTR"));
    Daemon agent = node.startAgent();
    startLoads();
    int number = 0;
    for (Map.Entry<String, List<String>> fault : faults.entrySet()) {
      for (String error : ALL ? fault.getValue() : fault.getValue().subList(0, 1)) {
        String what = fault.getKey() + " fails with " + error;
        Daemon strace =
            node.host()
                .start(
                    "strace",
                    "-f",
                    "-o",
                    "/dev/null",
                    "-e",
                    "trace=" + fault.getKey(),
                    "-e",
                    "inject=" + fault.getKey() + ":error=" + error + ":when=1",
                    "-p",
                    Long.toString(agent.pid()));
        Eventually.soon(() -> assertThat(strace.err()).contains("attached"));
        change(++number);
        assertInForce(number);
        strace.terminate();
        int ignored = strace.awaitExit(PATIENCE);
        change(++number);
        assertInForce(number);
        assertThat(agent.isAlive()).as(what).isTrue();
      }
    }
    assertUndisturbed("calls that fail while the agent runs");
    Eventually.soon(() -> node.read("status").orFail());
    // The thread of the JDK that reads events of files ends when poll(2) fails it. After the next
    // change that came without an event there are some again, and changes are as quick as before.
    change(++number);
    assertInForce(number);
    List<Duration> times = new ArrayList<>();
    for (int round = 0; round < 5; round++) {
      change(++number);
      String last = Family.IPV4.service(20 + number % 2);
      times.add(
          Eventually.within(
              PATIENCE,
              () -> assertThat(client.hit(Kind.TCP, last, Checks.BANNER)).isIn("a", "b")));
    }
    times.sort(null);
    assertThat(times.get(2)).as("median of %s", times).isLessThan(Duration.ofSeconds(3));
    if (agent.err().contains("sun.nio.fs.UnixException")) {
      assertThat(agent.err()).contains("asking for events anew");
    }
    node.delete("extra.yaml");
  }

  @Test
  void theDiskIsFullAndHasRoomAgain() throws IOException {
    Path state = node.stateDirectory();
    Commands.run("mount", "-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs", state.toString());
    try {
      Daemon agent = node.startAgent();
      startLoads();
      Path filler = state.resolve("filler");
      Result full =
          node.host().exec("dd", "if=/dev/zero", "of=" + filler, "bs=4096", "status=none");
      assertThat(full.exit()).isNotZero();
      change(1);
      assertInForce(1);
      // More than the last block of the file has room for.
      node.write(
          "many.yaml",
          IntStream.range(0, 12)
              .mapToObj(i -> Manifest.serverService("many" + i, 40 + i, "app: kubia"))
              .collect(Collectors.joining("---\n")));
      Eventually.soon(() -> assertThat(agent.err()).contains("snapshot not written"));
      Files.delete(filler);
      node.delete("many.yaml");
      change(2);
      assertInForce(2);
      Eventually.soon(
          () -> assertThat(state.resolve("snapshot.json")).content().contains("\"extra2\""));
      assertUndisturbed("a full disk");
      agent.kill();
    } finally {
      node.lastAgentIfAny().ifPresent(Daemon::kill);
      Commands.run("umount", state.toString());
      node.delete("extra.yaml");
    }
  }

  @Test
  void theStateDirectoryGoesAndComesBack() throws IOException {
    Path state = node.stateDirectory();
    node.startAgent();
    startLoads();
    // As a whole: the agent may be writing there.
    Lab.deleteTree(Files.move(state, lab.newDirectory("gone").resolve("state")));
    change(1);
    assertInForce(1);
    Files.createDirectories(state); // or it is made for the next thing to be kept there
    change(2);
    assertInForce(2);
    Eventually.soon(
        () -> assertThat(state.resolve("snapshot.json")).content().contains("\"extra2\""));
    assertUndisturbed("no state directory");
    node.delete("extra.yaml");
  }

  private void assertHealth(String code, Duration limit) {
    Eventually.within(
        limit,
        () ->
            assertThat(
                    node.host()
                        .exec(
                            "curl",
                            "--silent",
                            "--noproxy",
                            "*",
                            "--write-out",
                            "%{http_code}",
                            "http://" + Node.HEALTHZ + "/healthz")
                        .out())
                .endsWith(code));
  }

  @Test
  void theCgroupGoesAndComesBack() throws IOException {
    Path cgroup = Files.createDirectory(node.cgroup().resolve("pods"));
    List<String> command = new ArrayList<>(List.of(Patchbay.binary()));
    command.addAll(node.runArguments());
    command.replaceAll(word -> word.startsWith("--cgroup=") ? "--cgroup=" + cgroup : word);
    Daemon agent = node.host().start(command.toArray(String[]::new));
    try {
      agent.awaitOut("^ready: ", PATIENCE);
      assertHealth("200", PATIENCE);
      Files.delete(cgroup);
      assertHealth("503", PATIENCE);
      assertThat(agent.isAlive()).isTrue();
      Eventually.soon(() -> assertThat(agent.err()).contains(cgroup.toString()));
      Files.createDirectory(cgroup);
      assertHealth("200", PATIENCE);
      Eventually.soon(
          () -> assertThat(node.read("status").orFail().out()).contains("attached to " + cgroup));
    } finally {
      agent.kill();
      node.cleanup().orFail();
      Files.deleteIfExists(cgroup);
    }
  }

  /** In a mount namespace of its own, the agent loses its file system of pins. */
  @Test
  void thePinsGoWithTheirFileSystemAndAreMadeAgain() {
    Path pins = node.bpfDirectory();
    List<String> command =
        new ArrayList<>(
            List.of(
                "unshare",
                "--mount",
                "--propagation",
                "private",
                "/bin/sh",
                "-c",
                "mkdir -p \"$0\" && mount -t bpf bpf \"$0\" && exec \"$@\"",
                pins.toString(),
                Patchbay.binary()));
    command.addAll(node.runArguments());
    Daemon agent = node.host().start(command.toArray(String[]::new));
    try {
      agent.awaitOut("^ready: ", PATIENCE);
      startLoads();
      assertHealth("200", PATIENCE);
      assertThat(pins).isEmptyDirectory();
      Commands.run(
          "nsenter", "-t", Long.toString(agent.pid()), "-m", "umount", "-l", pins.toString());
      // what is there then is the file system of the machine
      Eventually.within(PATIENCE, () -> assertThat(node.read("status").exit()).isZero());
      Eventually.soon(() -> assertThat(agent.err()).contains("pinned again"));
      assertHealth("200", PATIENCE);
      change(1);
      assertInForce(1);
      assertUndisturbed("pins that went");
    } finally {
      agent.kill();
      node.delete("extra.yaml");
    }
  }
}
