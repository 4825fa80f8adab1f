// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.scale;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.Daemon;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Patchbay;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/**
 * A change of endpoints needs no system call: the thread that makes it makes none, as strace sees
 * it. The JVM runs without just-in-time compiler and with a young generation that is not filled
 * meanwhile, because a thread that is stopped for the one or the other waits in {@code futex},
 * which would be the JVM's call and not Patchbay's. A busy machine may keep the thread that waits
 * for readers for so long that the owner has to wait for it, so it has to be none in one of a few
 * rounds.
 */
@EndToEnd
class NoSystemCallKernelTest {
  private static final int CHANGES = 2000;
  private static final int ROUNDS = 4;
  private static final Pattern LINE = Pattern.compile("(\\d+) +(.*)");
  private static final Pattern CALL = Pattern.compile("(?:<\\.\\.\\. )?(\\w+).*");

  @AutoClose private final Lab lab = Lab.create();

  /** Calls of one thread between its markers, and of all other threads meanwhile, by name. */
  private record Trace(List<String> owner, Map<String, Integer> others) {}

  private Trace trace(Path file, Path markers) throws IOException {
    List<String> owner = new ArrayList<>();
    Map<String, Integer> others = new TreeMap<>();
    String begin = '"' + markers.resolve("begin").toString() + '"';
    String end = '"' + markers.resolve("end").toString() + '"';
    String thread = "";
    for (String line : Files.readAllLines(file)) {
      Matcher parts = LINE.matcher(line);
      if (!parts.matches()) {
        continue;
      }
      if (parts.group(2).contains(end)) {
        assertThat(parts.group(1)).as("thread of the markers").isEqualTo(thread);
        return new Trace(owner, others);
      }
      if (parts.group(2).contains(begin)) {
        thread = parts.group(1);
      } else if (parts.group(1).equals(thread)) {
        owner.add(line);
      } else if (!thread.isEmpty()) {
        Matcher call = CALL.matcher(parts.group(2));
        others.merge(call.matches() ? call.group(1) : parts.group(2), 1, Integer::sum);
      }
    }
    throw new AssertionError("no markers in " + file);
  }

  @Test
  void anEndpointChangeMakesNoSystemCall() throws IOException {
    List<List<String>> calls = new ArrayList<>();
    while (calls.size() < ROUNDS && !calls.contains(List.of())) {
      calls.add(callsOfOwner(lab.addNode("round" + calls.size())));
    }
    assertThat(calls).anyMatch(List::isEmpty);
  }

  /** What the owner called while it changed endpoints, and why it had to. */
  private List<String> callsOfOwner(Node node) throws IOException {
    Path directory = lab.newDirectory("changes");
    Path file = directory.resolve("strace");
    List<String> command = new ArrayList<>(List.of("strace", "-f", "-o", file.toString()));
    command.addAll(
        ChildJvm.command(
            EndpointChanges.class,
            List.of("-Xint", "-Xms512m", "-Xmn400m"),
            List.of(
                node.bpfDirectory().toString(),
                node.cgroup().toString(),
                "200",
                "100",
                "1",
                Integer.toString(CHANGES),
                directory.toString())));
    String out = node.host().exec(command.toArray(String[]::new)).orFail().out();
    Trace trace = trace(file, directory);
    System.out.print(out);
    System.out.printf(
        "system calls during %d changes: owner %d, other threads %s%n",
        CHANGES, trace.owner().size(), trace.others());
    assertThat(out).contains("count=" + CHANGES, "collections=0", "wrong=[]");
    assertThat(trace.others()).as("the other thread waits for readers").containsKey("bpf");
    List<String> calls = new ArrayList<>(trace.owner());
    if (!out.contains(" awaited=0")) {
      calls.add("waited for the other thread: " + out);
    }
    return calls;
  }

  /** The identifier of a thread, by the first characters of its name. */
  private static String thread(long process, String name) {
    Path tasks = Path.of("/proc/" + process + "/task");
    try (DirectoryStream<Path> threads = Files.newDirectoryStream(tasks)) {
      for (Path thread : threads) {
        if (Files.readString(thread.resolve("comm")).startsWith(name)) {
          return thread.getFileName().toString();
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    throw new AssertionError("no thread " + name + " in process " + process);
  }

  @Test
  void theOwnerOfARunningAgentMakesNoBpfCallForAnEndpointChange() throws IOException {
    Node node = lab.addNode("node2");
    node.write("services.yaml", World.manifests(0, 50));
    Path file = lab.directory().resolve("strace-agent");
    List<String> command =
        new ArrayList<>(List.of("strace", "-f", "-e", "trace=bpf", "-o", file.toString()));
    command.add(Patchbay.binary());
    command.addAll(node.runArguments());
    Daemon strace = node.host().start(command.toArray(String[]::new));
    strace.awaitOut("^ready: ", Duration.ofSeconds(60));
    ProcessHandle agent =
        ProcessHandle.of(strace.pid()).orElseThrow().children().findFirst().orElseThrow();
    Eventually.soon(() -> thread(agent.pid(), "patchbay-reclai"));
    String owner = thread(agent.pid(), "patchbay-owner");
    String reclaimer = thread(agent.pid(), "patchbay-reclai");
    int changes = 20;
    int before = 0;
    for (int version = 1; version <= changes; version++) {
      if (version == 2) { // before the first one the owner adds the rows of the agent's own
        before = Files.readAllLines(file).size();
      }
      int applied = version;
      node.write("services.yaml", World.manifest(0, version) + World.manifests(1, 50));
      Eventually.soon(
          () ->
              assertThat(strace.err().split("applied services=1 ranges=1 ", -1))
                  .hasSize(applied + 1));
    }
    int from = before;
    Eventually.soon(() -> assertThat(callers(file, from)).containsKey(reclaimer));
    Map<String, Integer> callers = callers(file, from);
    System.out.printf(
        "bpf calls of an agent during %d changes by thread %s; owner %s, reclaimer %s%n",
        changes, callers, owner, reclaimer);
    agent.destroy();
    assertThat(strace.awaitExit(Duration.ofSeconds(60))).isZero();
    assertThat(callers).containsKey(reclaimer).doesNotContainKey(owner);
  }

  private static Map<String, Integer> callers(Path file, int from) {
    try {
      Map<String, Integer> callers = new TreeMap<>();
      for (String line : Files.readAllLines(file).stream().skip(from).toList()) {
        Matcher parts = LINE.matcher(line);
        // The owner also compares, by the clock, what the maps hold with what it wrote.
        if (parts.matches()
            && parts.group(2).startsWith("bpf(")
            && !parts.group(2).startsWith("bpf(BPF_MAP_LOOKUP_")) {
          callers.merge(parts.group(1), 1, Integer::sum);
        }
      }
      return callers;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
