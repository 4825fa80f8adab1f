// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.patchbay.abi.AbiLimits;
import dev.patchbay.abi.WatchersCodec;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.Protocol;
import dev.patchbay.observe.BackendStatsKey;
import dev.patchbay.observe.ConnectionEvent;
import dev.patchbay.observe.ConnectionEvent.Caller;
import dev.patchbay.observe.ConnectionEvent.Kind;
import dev.patchbay.observe.ServiceStats;
import dev.patchbay.table.Backend;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.FrontendValue;
import dev.patchbay.table.Scope;
import dev.patchbay.table.ServiceSettings;
import dev.patchbay.table.ServiceWord;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Sockets of a process in a cgroup and a network namespace of its own, and who watches them. */
final class WatcherKernelTest {
  private static final IpAddress SERVICE = IpAddress.of("10.96.0.1");
  private static final IpAddress BACKEND = IpAddress.of("127.0.0.1");
  private static final int PORT = 53;
  private static final long STATS = 4711;
  private static final int SMALL = 64 * 1024;

  private final Scratch scratch = new Scratch();
  private final Path cgroup;
  private final Dataplane dataplane;
  private final PinnedDataplane pinned;

  WatcherKernelTest() throws Exception {
    cgroup = scratch.cgroup("");
    dataplane = scratch.dataplane();
    dataplane.store().writeRange(8, List.of(new Backend(BACKEND, 5353)));
    dataplane
        .store()
        .publish(3, new ServiceWord(8, 1, 1), new ServiceSettings(0, false, false, true, STATS));
    dataplane
        .store()
        .upsertFrontends(
            Map.of(
                new FrontendKey(SERVICE, PORT, Protocol.UDP, Scope.INTERNAL),
                new FrontendValue.ToService(3)));
    dataplane.attach(cgroup);
    pinned = scratch.closing(PinnedDataplane.open(scratch.bpfDir()));
  }

  @BeforeEach
  void isAttached() throws KernelException {
    assertThat(pinned.report().effective()).isTrue();
  }

  @AfterEach
  void remove() throws Exception {
    scratch.close();
  }

  /**
   * Connects a UDP socket again and again, in a process, a cgroup and a namespace of its own.
   * Nothing is sent.
   *
   * @param times how often
   * @param perSecond how often in a second; 0: as often as possible
   */
  private Process connect(int times, int perSecond) throws Exception {
    String script =
        """
        import os, socket, sys, time
        with open(sys.argv[1] + '/cgroup.procs', 'w') as f: f.write(str(os.getpid()))
        with open('/proc/self/comm', 'w') as f: f.write('talker')
        times, rate = int(sys.argv[4]), int(sys.argv[5])
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        begun = time.monotonic()
        target = (sys.argv[2], int(sys.argv[3]))
        for i in range(times):
            s.connect(target)
            if rate and i % 20 == 19:
                ahead = begun + (i + 1) / rate - time.monotonic()
                if ahead > 0: time.sleep(ahead)
        print(os.getpid(), time.monotonic() - begun)
        """;
    return new ProcessBuilder(
            "unshare",
            "--net",
            "sh",
            "-c",
            "ip link set lo up && exec \"$@\"",
            "sh",
            "python3",
            "-c",
            script,
            cgroup.toString(),
            SERVICE.toString(),
            Integer.toString(PORT),
            Integer.toString(times),
            Integer.toString(perSecond))
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  private static String finished(Process process) throws Exception {
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).isZero();
    return out;
  }

  @Test
  void hearsWhoWantedWhatAndWhereItWasLed() throws Exception {
    List<ConnectionEvent> heard = new ArrayList<>();
    try (Watcher watcher = pinned.watch(SMALL)) {
      long before = System.nanoTime();
      String[] said = finished(connect(1, 0)).split(" ", 2);
      assertThat(watcher.poll(1000, heard::add)).isEqualTo(1);

      ConnectionEvent event = heard.getFirst();
      assertThat(event.kind()).isEqualTo(Kind.CONNECT);
      assertThat(event.nanos()).isBetween(before, System.nanoTime());
      assertThat(event.statsId()).isEqualTo(STATS);
      assertThat(event.caller())
          .isEqualTo(new Caller(Integer.parseInt(said[0]), "talker", Cgroups.id(cgroup)));
      assertThat(event.protocol()).isEqualTo(Protocol.UDP);
      assertThat(event.address()).isEqualTo(SERVICE);
      assertThat(event.port()).isEqualTo(PORT);
      assertThat(event.backend()).isEqualTo(BACKEND);
      assertThat(event.backendPort()).isEqualTo(5353);
      assertThat(event.socket()).isNotZero();
      assertThat(watcher.lost()).isZero();
    }
  }

  /** A program makes the entries and cannot wait for memory; on a busy machine it may take two. */
  private void connectUntilCounted() throws Exception {
    for (int i = 0; i < 50 && (serviceStats().isEmpty() || backendStats().isEmpty()); i++) {
      finished(connect(1, 0));
    }
  }

  private Map<Long, ServiceStats> serviceStats() throws KernelException {
    Map<Long, ServiceStats> found = new HashMap<>();
    dataplane.serviceStats(found::put);
    return found;
  }

  private List<BackendStatsKey> backendStats() throws KernelException {
    List<BackendStatsKey> found = new ArrayList<>();
    dataplane.backendStats((key, _) -> found.add(key));
    return found;
  }

  @Test
  void whatIsCountedCanBeReadAndForgotten() throws Exception {
    connectUntilCounted();
    final ServiceStats before = Objects.requireNonNull(serviceStats().get(STATS), "counted");
    finished(connect(3, 0));
    assertThat(serviceStats()).containsOnlyKeys(STATS);
    assertThat(serviceStats().values())
        .singleElement()
        .satisfies(
            stats -> {
              assertThat(stats.udpConnects() - before.udpConnects()).isEqualTo(3);
              assertThat(stats.udpClosed() - before.udpClosed()).isEqualTo(3);
            });
    BackendStatsKey backend = new BackendStatsKey(STATS, new Backend(BACKEND, 5353));
    assertThat(backendStats()).containsExactly(backend);

    dataplane.forgetServiceStats(Set.of(STATS, 99L));
    dataplane.forgetBackendStats(Set.of(backend, new BackendStatsKey(99, new Backend(BACKEND, 1))));

    assertThat(serviceStats()).isEmpty();
    assertThat(backendStats()).isEmpty();
    dataplane.forgetServiceStats(Set.of());
    connectUntilCounted();
    assertThat(serviceStats()).as("counting goes on").containsOnlyKeys(STATS);
  }

  @Test
  void nothingIsWrittenBeforeOrAfter() throws Exception {
    finished(connect(10, 0));
    List<ConnectionEvent> heard = new ArrayList<>();
    try (Watcher watcher = pinned.watch(SMALL)) {
      finished(connect(3, 0));
      watcher.leave();
      finished(connect(10, 0));
      watcher.poll(0, heard::add);
      assertThat(heard).hasSize(3);
      assertThat(watcher.poll(0, heard::add)).isZero();
    }
    try (MapSet maps = MapSet.open(scratch.pins());
        MappedArray watchers = MappedArray.map(maps.get(PatchbayMap.WATCHERS), false)) {
      assertThat(WatchersCodec.latest(watchers.memory())).as("nobody watches").isZero();
      for (int place = 0; place < AbiLimits.WATCHERS; place++) {
        assertThat(WatchersCodec.deadline(watchers.memory(), place)).isZero();
      }
    }
  }

  /**
   * Slower than it is read: all of it arrives. Who stands still for too long loses some, so it has
   * to be all in one of a few rounds; in each of them the rest is counted.
   */
  @Test
  void twentyThousandConnectsASecondAreHeardOrCounted() throws Exception {
    List<Long> lost = new ArrayList<>();
    while (lost.size() < 4 && !lost.contains(0L)) {
      lost.add(lostOfManyConnects());
    }
    assertThat(lost).as("8 MiB hold two seconds of it").contains(0L);
  }

  private long lostOfManyConnects() throws Exception {
    int times = 60_000;
    long[] heard = {0};
    try (Watcher watcher = pinned.watch(8 << 20)) {
      Process talker = connect(times, 20_000);
      while (talker.isAlive()) {
        watcher.poll(50, _ -> heard[0]++);
      }
      double seconds = Double.parseDouble(finished(talker).split(" ", 2)[1]);
      watcher.leave();
      while (watcher.poll(0, _ -> heard[0]++) > 0) {}
      System.out.printf(
          "watched %d connects in %.2f s: %d heard, %d lost%n",
          times, seconds, heard[0], watcher.lost());
      assertThat(heard[0] + watcher.lost()).isEqualTo(times);
      return watcher.lost();
    }
  }

  /** Faster than anybody reads: what is lost is counted to the last record. */
  @Test
  void whatFindsNoRoomIsCountedExactly() throws Exception {
    int times = 50_000;
    long[] heard = {0};
    try (Watcher watcher = pinned.watch(SMALL)) {
      Process talker = connect(times, 0);
      while (talker.isAlive()) {
        watcher.poll(10, _ -> heard[0]++);
        Thread.sleep(20);
      }
      finished(talker);
      watcher.leave();
      while (watcher.poll(0, _ -> heard[0]++) > 0) {}
      assertThat(watcher.lost()).isPositive();
      assertThat(heard[0]).isPositive();
      assertThat(heard[0] + watcher.lost()).isEqualTo(times);
    }
  }

  @Test
  void severalWatchAndEachHearsAll() throws Exception {
    List<Watcher> all = new ArrayList<>();
    try {
      for (int i = 0; i < AbiLimits.WATCHERS; i++) {
        all.add(pinned.watch(SMALL));
      }
      assertThatThrownBy(() -> pinned.watch(SMALL))
          .isInstanceOf(KernelException.Busy.class)
          .hasMessageContaining("places are taken");
      finished(connect(5, 0));
      for (Watcher watcher : all) {
        assertThat(watcher.poll(100, _ -> {})).isEqualTo(5);
      }
      all.removeFirst().close();
      finished(connect(2, 0));
      for (Watcher watcher : all) {
        assertThat(watcher.poll(100, _ -> {})).as("who still watches").isEqualTo(2);
      }
      try (Watcher next = pinned.watch(SMALL)) {
        finished(connect(1, 0));
        assertThat(next.poll(100, _ -> {})).as("in the place that was given up").isEqualTo(1);
        assertThat(next.lost()).isZero();
      }
    } finally {
      all.forEach(Watcher::close);
    }
  }

  /** One that does not come back ends by itself, and its place is another's. */
  @Test
  void whoeverIsKilledGivesItsPlaceUp() throws Exception {
    Watcher killed = pinned.watch(SMALL);
    try (MapSet maps = MapSet.open(scratch.pins());
        MappedArray watchers = MappedArray.map(maps.get(PatchbayMap.WATCHERS), false)) {
      long deadline = WatchersCodec.latest(watchers.memory());
      assertThat(deadline - System.nanoTime()).isBetween(1L, 4_000_000_000L);
      while (System.nanoTime() - deadline <= 0) {
        Thread.sleep(50);
      }
      finished(connect(3, 0));
      List<Watcher> others = new ArrayList<>();
      try {
        for (int i = 0; i < AbiLimits.WATCHERS; i++) {
          others.add(pinned.watch(SMALL));
        }
        assertThatThrownBy(() -> killed.poll(0, _ -> {}))
            .isInstanceOf(KernelException.Busy.class)
            .hasMessageContaining("given to somebody else");
        killed.close();
        finished(connect(4, 0));
        for (Watcher watcher : others) {
          assertThat(watcher.poll(100, _ -> {}))
              .as("the one before takes nothing away")
              .isEqualTo(4);
        }
      } finally {
        others.forEach(Watcher::close);
      }
    } finally {
      killed.close();
    }
  }
}
