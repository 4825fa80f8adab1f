// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.patchbay.kernel.sys.Libc;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.Protocol;
import dev.patchbay.observe.BindConflict;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.FrontendValue;
import dev.patchbay.table.Scope;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Binds of a process in a cgroup of its own, refused by the programs and heard of in Java. */
final class EventReaderKernelTest {
  private static final int PORT = 31999;
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private final Scratch scratch = new Scratch();
  private final BlockingQueue<BindConflict> heard = new LinkedBlockingQueue<>();

  EventReaderKernelTest() throws Exception {}

  @AfterEach
  void remove() throws Exception {
    scratch.close();
  }

  private static void serve(Dataplane dataplane) throws Exception {
    for (String any : List.of("0.0.0.0", "::")) {
      for (Protocol protocol : List.of(Protocol.TCP, Protocol.UDP)) {
        FrontendKey key = new FrontendKey(IpAddress.of(any), PORT, protocol, Scope.INTERNAL);
        dataplane.store().upsertFrontends(Map.of(key, new FrontendValue.ToService(7)));
      }
    }
  }

  /**
   * Binds in a process of its own, within {@code cgroup}; nothing listens, nothing is sent.
   *
   * @return its number and what each of the binds came to, an errno or 0
   */
  private static List<String> bind(Path cgroup, String type, String address, int times)
      throws Exception {
    String script =
        """
        import os, socket, sys
        with open(sys.argv[1] + '/cgroup.procs', 'w') as f: f.write(str(os.getpid()))
        with open('/proc/self/comm', 'w') as f: f.write('binder')
        family = socket.AF_INET6 if ':' in sys.argv[3] else socket.AF_INET
        print(os.getpid())
        for _ in range(int(sys.argv[5])):
            with socket.socket(family, getattr(socket, sys.argv[2])) as s:
                try: s.bind((sys.argv[3], int(sys.argv[4]))); print(0)
                except OSError as e: print(e.errno)
        """;
    Process process =
        new ProcessBuilder(
                "python3",
                "-c",
                script,
                cgroup.toString(),
                type,
                address,
                String.valueOf(PORT),
                String.valueOf(times))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    List<String> lines =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
            .lines()
            .toList();
    assertThat(process.waitFor()).isZero();
    assertThat(lines).hasSize(times + 1);
    return lines;
  }

  private BindConflict next() throws InterruptedException {
    BindConflict conflict = heard.poll(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    assertThat(conflict).as("heard within " + PATIENCE).isNotNull();
    return conflict;
  }

  @Test
  void hearsOfARefusedBind() throws Exception {
    Path cgroup = scratch.cgroup("");
    Dataplane dataplane = scratch.dataplane();
    serve(dataplane);
    dataplane.attach(cgroup);
    dataplane.listen(heard::add);
    long before = System.nanoTime();
    List<String> tcp = bind(cgroup, "SOCK_STREAM", "0.0.0.0", 1);
    assertThat(tcp.get(1)).isEqualTo("98"); // EADDRINUSE
    BindConflict conflict = next();
    assertThat(conflict.nanos()).isBetween(before, System.nanoTime());
    int process = Integer.parseInt(tcp.getFirst());
    assertThat(conflict)
        .isEqualTo(
            new BindConflict(
                conflict.nanos(),
                IpAddress.of("0.0.0.0"),
                PORT,
                Protocol.TCP,
                7,
                process,
                process,
                "binder",
                Cgroups.id(cgroup),
                NetworkNamespace.cookie().orElseThrow()));
    assertThat(bind(cgroup, "SOCK_DGRAM", "::", 1).get(1)).isEqualTo("98");
    conflict = next();
    assertThat(conflict.address()).isEqualTo(IpAddress.of("::"));
    assertThat(conflict.protocol()).isEqualTo(Protocol.UDP);
    assertThat(dataplane.counters().refusedBind()).isEqualTo(2);
    assertThat(dataplane.counters().eventsLost()).isZero();
    assertThatIllegalStateException().isThrownBy(() -> dataplane.listen(heard::add));
  }

  @Test
  void hearsWhatHappenedWhileNobodyListened() throws Exception {
    Path cgroup = scratch.cgroup("");
    try (Dataplane dataplane = Dataplane.open(scratch.options())) {
      serve(dataplane);
      dataplane.attach(cgroup);
    }
    bind(cgroup, "SOCK_STREAM", "0.0.0.0", 1);
    Dataplane again = scratch.dataplane();
    again.listen(heard::add);
    next();
    again.close();
    assertThat(heard).isEmpty();
  }

  @Test
  void losesWhatDoesNotFitAndReadsOnAroundTheEnd() throws Exception {
    Path cgroup = scratch.cgroup("");
    Dataplane dataplane = scratch.dataplane();
    serve(dataplane);
    dataplane.attach(cgroup);
    AtomicInteger seen = new AtomicInteger();
    try (BpfMap map = BpfMap.pinned(PatchbayMap.EVENTS, scratch.pins().map(PatchbayMap.EVENTS));
        EventReader reader =
            EventReader.open(
                map,
                conflict -> {
                  assertThat(conflict.command()).isEqualTo("binder");
                  seen.incrementAndGet();
                })) {
      for (int round = 1; round <= 3; round++) {
        bind(cgroup, "SOCK_STREAM", "0.0.0.0", 3000);
        while (reader.poll(0) > 0) {}
        long lost = dataplane.counters().eventsLost();
        assertThat(lost).isPositive();
        assertThat(seen.get() + lost).isEqualTo(3000L * round);
      }
      // A record takes 152 bytes of the buffer's 256 KiB.
      assertThat(seen.get()).isGreaterThan(3 * 1500);
      assertThat(reader.poll(1)).isZero();
    }
  }

  @Test
  void aListenerThatFailsMissesNothingElse() throws Exception {
    Path cgroup = scratch.cgroup("");
    Dataplane dataplane = scratch.dataplane();
    serve(dataplane);
    dataplane.attach(cgroup);
    dataplane.listen(
        conflict -> {
          heard.add(conflict);
          throw new IllegalArgumentException("on purpose");
        });
    bind(cgroup, "SOCK_STREAM", "0.0.0.0", 3);
    next();
    next();
    next();
  }

  @Test
  void closingEndsTheThreadAndTheMemory() throws Exception {
    Dataplane dataplane = scratch.dataplane();
    dataplane.listen(heard::add);
    assertThat(Thread.getAllStackTraces().keySet())
        .extracting(Thread::getName)
        .contains("patchbay-ring");
    dataplane.close();
    dataplane.close();
    assertThat(Thread.getAllStackTraces().keySet())
        .extracting(Thread::getName)
        .doesNotContain("patchbay-ring");
  }

  @Test
  void onlyTheNodesNamespaceIsGuarded() throws Exception {
    Path cgroup = scratch.cgroup("");
    long own = NetworkNamespace.cookie().orElseThrow();
    for (long node : new long[] {0, own + 1, own}) {
      BpfObject.Recipe recipe =
          new BpfObject.Recipe(
              "constants",
              ObjectFile.CURRENT.bytes(),
              Map.of(
                  PatchbayMap.FRONTENDS, 64,
                  PatchbayMap.SERVICES, 32,
                  PatchbayMap.BACKENDS, 256,
                  PatchbayMap.AFFINITY, 64,
                  PatchbayMap.UDP_FLOWS, 64),
              node);
      try (Dataplane dataplane = Dataplane.open(scratch.options(), recipe)) {
        serve(dataplane);
        dataplane.attach(cgroup);
        assertThat(bind(cgroup, "SOCK_STREAM", "0.0.0.0", 1).get(1))
            .as("node " + node)
            .isEqualTo(node == own ? "98" : "0");
      }
    }
  }

  @Test
  void theCookieIsTheSameForEverySocket() throws Exception {
    assertThat(NetworkNamespace.cookie().orElseThrow()).isNotZero();
    assertThat(NetworkNamespace.cookie()).isEqualTo(NetworkNamespace.cookie());
    assertThat(Libc.netnsCookie(-1).result()).isEqualTo(-9); // EBADF
    assertThat(Libc.pollReadable(-1, 0)).isZero();
  }
}
