// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.patchbay.abi.AbiLimits;
import dev.patchbay.abi.CounterIndex;
import dev.patchbay.abi.FrontendKeyCodec;
import dev.patchbay.kernel.AttachReport.State;
import dev.patchbay.kernel.sys.Bpf;
import dev.patchbay.kernel.sys.MapType;
import dev.patchbay.lab.Eventually;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.Protocol;
import dev.patchbay.observe.Counters;
import dev.patchbay.table.Backend;
import dev.patchbay.table.Capacity;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.FrontendValue;
import dev.patchbay.table.ObservedState;
import dev.patchbay.table.Scope;
import dev.patchbay.table.ServiceSettings;
import dev.patchbay.table.ServiceWord;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Loading, pinning, adopting and attaching, on this kernel. */
final class DataplaneKernelTest {
  private static final List<String> MAPS =
      Stream.of(PatchbayMap.values())
          .map(map -> "v" + Dataplane.abiVersion() + "/maps/" + map.mapName())
          .sorted()
          .toList();
  private static final List<String> PROGRAMS = Stream.of(Hook.values()).map(Hook::program).toList();
  private static final FrontendKey KEY =
      new FrontendKey(IpAddress.of("10.96.0.1"), 80, Protocol.TCP, Scope.INTERNAL);

  private final Scratch scratch = new Scratch();

  DataplaneKernelTest() throws Exception {}

  @AfterEach
  void remove() throws Exception {
    scratch.close();
  }

  private AttachReport report() throws KernelException {
    try (PinnedDataplane pinned = PinnedDataplane.open(scratch.bpfDir())) {
      return pinned.report();
    }
  }

  private static List<Integer> ids(AttachReport report) {
    return report.programs().stream().map(AttachReport.ProgramLink::programId).toList();
  }

  @Test
  void pinsMapsOnTheFirstStartAndAdoptsThemLater() throws Exception {
    try (Dataplane first = Dataplane.open(scratch.options())) {
      assertThat(first.firstStart()).isTrue();
      assertThat(scratch.pinned()).isEqualTo(MAPS);
      assertThat(first.report().attached()).isFalse();
      first.store().upsertFrontends(Map.of(KEY, new FrontendValue.ToService(3)));
      first.store().publish(3, new ServiceWord(1, 2, 9), ServiceSettings.NONE);
    }
    assertThat(scratch.pinned()).isEqualTo(MAPS);
    try (Dataplane second = Dataplane.open(scratch.options())) {
      assertThat(second.firstStart()).isFalse();
      ObservedState state = second.store().load();
      assertThat(state.frontends()).isEqualTo(Map.of(KEY, new FrontendValue.ToService(3)));
      assertThat(state.services()).containsOnlyKeys(3);
    }
  }

  @Test
  void refusesMapsOfAnotherShapeAndLeavesThemAlone() throws Exception {
    Dataplane.open(scratch.options()).close();
    Capacity other = new Capacity(65, 32, 256);
    assertThatExceptionOfType(KernelException.Incompatible.class)
        .isThrownBy(() -> Dataplane.open(scratch.options(other)))
        .withMessageContaining("adopt map frontends")
        .withMessageContaining("max_entries 64")
        .withMessageContaining("max_entries 65")
        .withMessageContaining("patchbay cleanup --bpf-dir " + scratch.bpfDir());
    assertThat(scratch.pinned()).isEqualTo(MAPS);
    Dataplane.open(scratch.options()).close();
  }

  @Test
  void takesMapsWhoseSizeNobodyChoosesAsTheyAre() throws Exception {
    DataplaneOptions options = scratch.options();
    Dataplane.open(options).close();
    try (Dataplane again =
        Dataplane.open(
            new DataplaneOptions(
                options.bpfDir(), options.capacity(), 128, 256, options.logDirectory()))) {
      assertThat(again.firstStart()).isFalse();
      assertThat(again.usage())
          .contains(
              new MapUsage("affinity", OptionalLong.of(0), 64),
              new MapUsage("udp_flows", OptionalLong.of(0), 64));
    }
  }

  @Test
  void addsTheMapsThatAreMissing() throws Exception {
    Dataplane.open(scratch.options()).close();
    Files.delete(scratch.pins().map(PatchbayMap.AFFINITY));
    try (Dataplane again = Dataplane.open(scratch.options())) {
      assertThat(again.firstStart()).isFalse();
      assertThat(scratch.pinned()).isEqualTo(MAPS);
    }
  }

  @Test
  void admitsOneWriter() throws Exception {
    Dataplane first = scratch.dataplane();
    assertThatExceptionOfType(KernelException.Busy.class)
        .isThrownBy(() -> Dataplane.open(scratch.options()))
        .withMessageContaining(
            "another patchbay writes this dataplane: process " + ProcessHandle.current().pid())
        .withMessageContaining("; stop it, or choose another --bpf-dir");
    first.close();
    first.close();
    scratch.dataplane();
  }

  @Test
  void leavesNothingWhenTheVerifierRefuses() throws Exception {
    byte[] elf = ObjectFile.CURRENT.bytes();
    TestElf.breakProgram(elf, "cgroup/sendmsg4");
    BpfObject.Recipe broken = new BpfObject.Recipe("broken.o", elf, Map.of(), 0);
    assertThatExceptionOfType(KernelException.Verifier.class)
        .isThrownBy(() -> Dataplane.open(scratch.options(), broken))
        .withMessageStartingWith("load program pb_sendmsg4: ")
        .withMessageEndingWith("whole log in " + scratch.logs() + "/verifier-pb_sendmsg4.log")
        .satisfies(
            refused ->
                assertThat(scratch.logs().resolve("verifier-pb_sendmsg4.log"))
                    .hasContent(refused.log()));
    assertThat(scratch.bpfDir()).doesNotExist();
  }

  @Test
  void aRefusalLeavesAnExistingDataplaneAsItWas() throws Exception {
    Path cgroup = scratch.cgroup("");
    try (Dataplane running = Dataplane.open(scratch.options())) {
      running.attach(cgroup);
    }
    List<String> pinned = scratch.pinned();
    AttachReport before = report();
    byte[] elf = ObjectFile.CURRENT.bytes();
    TestElf.breakProgram(elf, "cgroup/connect6");
    BpfObject.Recipe broken =
        new BpfObject.Recipe(
            "broken.o",
            elf,
            Map.of(
                PatchbayMap.FRONTENDS, 64,
                PatchbayMap.SERVICES, 32,
                PatchbayMap.BACKENDS, 256,
                PatchbayMap.AFFINITY, 64,
                PatchbayMap.UDP_FLOWS, 64),
            0);
    assertThatExceptionOfType(KernelException.Verifier.class)
        .isThrownBy(() -> Dataplane.open(scratch.options(), broken));
    assertThat(scratch.pinned()).isEqualTo(pinned);
    assertThat(report()).isEqualTo(before);
  }

  @Test
  void loadsTheLegacyProgramsToo() throws Exception {
    BpfObject.Recipe legacy =
        new BpfObject.Recipe("legacy", ObjectFile.LEGACY.bytes(), Map.of(), 0);
    Dataplane dataplane = scratch.closing(Dataplane.open(scratch.options(), legacy));
    dataplane.attach(scratch.cgroup(""));
    assertThat(dataplane.report().effective()).isTrue();
  }

  @Test
  void attachesAndStaysAttached() throws Exception {
    Path cgroup = scratch.cgroup("");
    try (Dataplane dataplane = Dataplane.open(scratch.options())) {
      assertThat(dataplane.attach(cgroup))
          .isEqualTo(new AttachResult.Attached(PROGRAMS, List.of()));
      assertThat(dataplane.report().effective()).isTrue();
    }
    AttachReport report = report();
    assertThat(report.effective()).isTrue();
    assertThat(report.programs()).extracting(AttachReport.ProgramLink::program).isEqualTo(PROGRAMS);
    assertThat(report.programs())
        .allSatisfy(
            link -> {
              assertThat(link.state()).isEqualTo(State.EFFECTIVE);
              assertThat(link.cgroup()).contains(cgroup);
              assertThat(link.cgroupId()).isEqualTo(Cgroups.id(cgroup));
            });
  }

  @Test
  void anotherStartPutsNewProgramsBehindTheSameLinks() throws Exception {
    Path cgroup = scratch.cgroup("");
    try (Dataplane first = Dataplane.open(scratch.options())) {
      first.attach(cgroup);
    }
    AttachReport before = report();
    try (Dataplane second = Dataplane.open(scratch.options())) {
      assertThat(report()).isEqualTo(before);
      assertThat(second.attach(cgroup)).isEqualTo(new AttachResult.Attached(List.of(), PROGRAMS));
    }
    assertThat(report().effective()).isTrue();
    assertThat(ids(report())).doesNotContainAnyElementsOf(ids(before));
  }

  @Test
  void linksElsewhereAreNotTouchedUnlessAskedTo() throws Exception {
    Path one = scratch.cgroup("-one");
    Path two = scratch.cgroup("-two");
    Dataplane dataplane = scratch.dataplane();
    dataplane.attach(one);
    AttachReport before = dataplane.report();
    assertThat(dataplane.attach(two)).isEqualTo(new AttachResult.Elsewhere(before.programs()));
    assertThat(dataplane.report()).isEqualTo(before);
    assertThat(dataplane.attachReplacing(two))
        .isEqualTo(new AttachResult.Attached(PROGRAMS, List.of()));
    assertThat(dataplane.report().effective()).isTrue();
    assertThat(dataplane.report().programs().getFirst().cgroup()).contains(two);
    try (Fd directory = Cgroups.open(one)) {
      for (Hook hook : Hook.values()) {
        assertThat(Bpf.effectivePrograms(directory.number(), hook.type()).value()).isEmpty();
      }
    }
  }

  @Test
  void linksOfACgroupThatIsGoneAreReplaced() throws Exception {
    Path gone = scratch.cgroup("-gone");
    Dataplane dataplane = scratch.dataplane();
    dataplane.attach(gone);
    Files.delete(gone);
    assertThat(dataplane.report().programs())
        .extracting(AttachReport.ProgramLink::state)
        .containsOnly(State.CGROUP_GONE);
    assertThat(dataplane.report().attached()).isFalse();
    dataplane.attach(scratch.cgroup("-new"));
    assertThat(dataplane.report().effective()).isTrue();
  }

  @Test
  void aLinkThatIsOnlyPartlyThereIsCompleted() throws Exception {
    Path cgroup = scratch.cgroup("");
    Dataplane dataplane = scratch.dataplane();
    dataplane.attach(cgroup);
    Files.delete(scratch.pins().link(Hook.PB_CONNECT4));
    assertThat(dataplane.report().effective()).isFalse();
    assertThat(dataplane.attach(cgroup))
        .isInstanceOfSatisfying(
            AttachResult.Attached.class,
            attached -> assertThat(attached.created()).containsExactly("pb_connect4"));
    assertThat(dataplane.report().effective()).isTrue();
  }

  @Test
  void aFirstStartThatCannotAttachLeavesNothing() throws Exception {
    Path parent = scratch.cgroup("-parent");
    Path child = scratch.cgroupBelow(parent, "child");
    try (Scratch other = new Scratch()) {
      occupy(parent, Hook.PB_CONNECT4, other);
      Dataplane dataplane = scratch.dataplane();
      assertThatExceptionOfType(KernelException.Denied.class)
          .isThrownBy(() -> dataplane.attach(child))
          .satisfies(
              refused -> {
                assertThat(refused.operation()).isEqualTo("attach");
                assertThat(refused.object()).isEqualTo("program pb_connect4");
                assertThat(refused.errnoName()).isEqualTo("EPERM (1)");
                assertThat(refused.getSuppressed()).isEmpty();
              });
      assertThat(scratch.bpfDir()).doesNotExist();
      assertUnattached(child);
    }
  }

  @Test
  void aFailedMoveLeavesEveryLinkWhereItWas() throws Exception {
    Path parent = scratch.cgroup("-parent");
    Path child = scratch.cgroupBelow(parent, "child");
    Path home = scratch.cgroup("-home");
    try (Scratch other = new Scratch()) {
      occupy(parent, Hook.PB_CONNECT4, other);
      Dataplane dataplane = scratch.dataplane();
      dataplane.attach(home);
      AttachReport before = dataplane.report();
      List<String> pinned = scratch.pinned();
      assertThatExceptionOfType(KernelException.Denied.class)
          .isThrownBy(() -> dataplane.attachReplacing(child))
          .satisfies(refused -> assertThat(refused.getSuppressed()).isEmpty());
      assertThat(dataplane.report()).isEqualTo(before);
      assertThat(scratch.pinned()).isEqualTo(pinned);
      assertUnattached(child);
    }
  }

  /** Attaches a program to a hook in the way that admits no other below. */
  private static void occupy(Path cgroup, Hook hook, Scratch other) throws Exception {
    Dataplane dataplane = other.dataplane();
    dataplane.attach(other.cgroup("-lender"));
    int id =
        dataplane.report().programs().stream()
            .filter(link -> link.program().equals(hook.program()))
            .findFirst()
            .orElseThrow()
            .programId();
    Process bpftool =
        new ProcessBuilder(
                System.getenv().getOrDefault("BPFTOOL", "bpftool"),
                "cgroup",
                "attach",
                cgroup.toString(),
                "connect4",
                "id",
                "" + id)
            .inheritIO()
            .start();
    assertThat(bpftool.waitFor()).isZero();
  }

  private static void assertUnattached(Path cgroup) throws KernelException {
    try (Fd directory = Cgroups.open(cgroup)) {
      for (Hook hook : Hook.values()) {
        List<Integer> running = Bpf.effectivePrograms(directory.number(), hook.type()).value();
        assertThat(running).as(hook.program()).hasSize(hook == Hook.PB_CONNECT4 ? 1 : 0);
      }
    }
  }

  /** Leaves a dataplane as another version of the ABI would have pinned it. */
  private Path pinnedByAnotherVersion(Path cgroup) throws Exception {
    try (Dataplane dataplane = Dataplane.open(scratch.options())) {
      dataplane.attach(cgroup);
    }
    return Files.move(scratch.pins().version(), scratch.bpfDir().resolve("v1"));
  }

  private static List<Integer> running(Path cgroup, Hook hook) throws KernelException {
    try (Fd directory = Cgroups.open(cgroup)) {
      List<Integer> programs = Bpf.effectivePrograms(directory.number(), hook.type()).value();
      return programs == null ? List.of() : programs;
    }
  }

  /** The kernel lets go of a link a moment after its last pin is gone. */
  private static void awaitOnly(Path cgroup, Hook hook, int program) {
    Eventually.soon(
        () -> {
          try {
            assertThat(running(cgroup, hook)).as(hook.program()).containsExactly(program);
          } catch (KernelException e) {
            throw new IllegalStateException(e);
          }
        });
  }

  @Test
  void takesThePlaceOfAnotherVersionOnceItsOwnProgramsRun() throws Exception {
    Path cgroup = scratch.cgroup("");
    Path other = pinnedByAnotherVersion(cgroup);
    // a version may lack programs and maps that this one has
    Files.delete(other.resolve("links/pb_post_bind4"));
    Files.delete(other.resolve("maps/events"));
    Dataplane dataplane = scratch.dataplane();
    assertThat(dataplane.firstStart()).isTrue();
    assertThat(running(cgroup, Hook.PB_CONNECT4)).hasSize(1);
    assertThat(other).isDirectory();
    assertThat(dataplane.attach(cgroup))
        .isEqualTo(
            new AttachResult.Attached(
                List.of("pb_post_bind4"),
                PROGRAMS.stream().filter(name -> !name.equals("pb_post_bind4")).toList()));
    assertThat(other).doesNotExist();
    for (AttachReport.ProgramLink link : dataplane.report().programs()) {
      Hook hook = Hook.valueOf(link.program().toUpperCase(Locale.ROOT));
      awaitOnly(cgroup, hook, link.programId());
    }
    assertThat(dataplane.report().effective()).isTrue();
  }

  @Test
  void anotherVersionStaysWhileItsAgentRuns() throws Exception {
    Path cgroup = scratch.cgroup("");
    Path other = pinnedByAnotherVersion(cgroup);
    List<String> pinned = scratch.pinned();
    try (Fd lock = PinDirectory.lock(new Pins(scratch.bpfDir(), other))) {
      assertThat(lock.number()).isPositive();
      assertThatExceptionOfType(KernelException.Busy.class)
          .isThrownBy(() -> Dataplane.open(scratch.options()))
          .withMessageContaining(other.toString());
    }
    assertThat(scratch.pinned()).isEqualTo(pinned);
    try (Dataplane dataplane = Dataplane.open(scratch.options())) {
      assertThat(dataplane.firstStart()).isTrue();
      assertThatExceptionOfType(KernelException.Busy.class)
          .isThrownBy(() -> PinDirectory.lock(new Pins(scratch.bpfDir(), other)));
    }
  }

  @Test
  void anotherVersionStaysWhereTheProgramsCannotBeAttached() throws Exception {
    Path parent = scratch.cgroup("-parent");
    Path child = scratch.cgroupBelow(parent, "child");
    Path home = scratch.cgroup("-home");
    Path other = pinnedByAnotherVersion(home);
    List<String> pinned = scratch.pinned();
    try (Scratch lender = new Scratch()) {
      occupy(parent, Hook.PB_CONNECT4, lender);
      Dataplane dataplane = scratch.dataplane();
      assertThatExceptionOfType(KernelException.Denied.class)
          .isThrownBy(() -> dataplane.attachReplacing(child));
      assertThat(scratch.pinned()).isEqualTo(pinned);
      assertThat(running(home, Hook.PB_CONNECT4)).hasSize(1);
      assertThat(other).isDirectory();
    }
  }

  @Test
  void anotherVersionElsewhereIsNotTouchedUnlessAskedTo() throws Exception {
    Path one = scratch.cgroup("-one");
    Path two = scratch.cgroup("-two");
    Path other = pinnedByAnotherVersion(one);
    Dataplane dataplane = scratch.dataplane();
    assertThat(dataplane.attach(two))
        .isInstanceOfSatisfying(
            AttachResult.Elsewhere.class,
            elsewhere ->
                assertThat(elsewhere.links())
                    .extracting(link -> link.cgroup().orElseThrow())
                    .hasSize(Hook.values().length)
                    .containsOnly(one));
    assertThat(other).isDirectory();
    assertThat(dataplane.attachReplacing(two)).isInstanceOf(AttachResult.Attached.class);
    assertThat(other).doesNotExist();
    assertThat(running(one, Hook.PB_CONNECT4)).isEmpty();
  }

  @Test
  void somethingElseInTheWayOfALinkIsRefused() throws Exception {
    Dataplane dataplane = scratch.dataplane();
    try (BpfMap map =
        BpfMap.pinned(PatchbayMap.COUNTERS, scratch.pins().map(PatchbayMap.COUNTERS))) {
      assertThat(Bpf.bpf_obj_pin(map.fd(), scratch.pins().link(Hook.PB_CONNECT6))).isZero();
    }
    assertThatExceptionOfType(KernelException.Incompatible.class)
        .isThrownBy(() -> dataplane.attach(scratch.cgroup("")))
        .withMessageContaining("remove " + scratch.pins().link(Hook.PB_CONNECT6));
  }

  @Test
  void namesWhatIsNoPlaceForProgramsOrPins() throws Exception {
    Dataplane dataplane = scratch.dataplane();
    assertThatExceptionOfType(KernelException.NotFound.class)
        .isThrownBy(() -> dataplane.attach(Path.of("/sys/fs/cgroup/no-such-cgroup")))
        .withMessageContaining("use cgroup /sys/fs/cgroup/no-such-cgroup");
  }

  @Test
  void namesWhatIsNoCgroup() throws Exception {
    Dataplane dataplane = scratch.dataplane();
    assertThatExceptionOfType(KernelException.Incompatible.class)
        .isThrownBy(() -> dataplane.attach(scratch.logs()))
        .withMessageContaining("choose --cgroup below " + Cgroups.root().orElseThrow());
  }

  @Test
  void namesWhatIsNoPlaceForPins() {
    DataplaneOptions here = DataplaneOptions.defaults(scratch.logs(), scratch.logs());
    assertThatExceptionOfType(KernelException.Incompatible.class)
        .isThrownBy(() -> Dataplane.open(here))
        .withMessageContaining("expected a bpf file system; choose --bpf-dir below /sys/fs/bpf");
    DataplaneOptions dot =
        DataplaneOptions.defaults(scratch.bpfDir().resolve("a.b"), scratch.logs());
    assertThatExceptionOfType(KernelException.Incompatible.class)
        .isThrownBy(() -> Dataplane.open(dot))
        .withMessageContaining("names without a dot");
  }

  @Test
  void readsWithoutAnAgent() throws Exception {
    try (Dataplane dataplane = Dataplane.open(scratch.options())) {
      dataplane.store().writeRange(5, List.of(new Backend(IpAddress.of("10.1.0.1"), 1)));
      dataplane.store().publish(3, new ServiceWord(5, 1, 1), ServiceSettings.NONE);
      dataplane.store().publish(4, new ServiceWord(9, 7, 1), ServiceSettings.NONE);
      dataplane.store().upsertFrontends(Map.of(KEY, new FrontendValue.ToService(3)));
    }
    try (PinnedDataplane pinned = PinnedDataplane.open(scratch.bpfDir())) {
      ObservedState state = pinned.load();
      assertThat(state.frontends()).containsOnlyKeys(KEY);
      assertThat(state.backends().read(5, 1))
          .containsExactly(new Backend(IpAddress.of("10.1.0.1"), 1));
      assertThat(pinned.usage(state))
          .containsExactlyInAnyOrder(
              new MapUsage("frontends", OptionalLong.of(1), 64),
              new MapUsage("services", OptionalLong.of(1), 32),
              new MapUsage("backends", OptionalLong.of(1), 256),
              new MapUsage("socket_state", OptionalLong.empty(), 0),
              new MapUsage("connections", OptionalLong.empty(), AbiLimits.CONNECTIONS),
              new MapUsage("udp_socket_flows", OptionalLong.empty(), 0),
              new MapUsage("udp_flows", OptionalLong.of(0), 64),
              new MapUsage("affinity", OptionalLong.of(0), 64),
              new MapUsage("counters", OptionalLong.empty(), CounterIndex.count() + 1),
              new MapUsage("service_stats", OptionalLong.of(0), AbiLimits.DEFAULT_SERVICE_STATS),
              new MapUsage("backend_stats", OptionalLong.of(0), AbiLimits.DEFAULT_BACKEND_STATS),
              new MapUsage("watchers", OptionalLong.empty(), 1),
              new MapUsage("watcher_rings", OptionalLong.empty(), AbiLimits.WATCHERS),
              new MapUsage("events", OptionalLong.empty(), AbiLimits.DEFAULT_EVENTS_BYTES));
    }
  }

  @Test
  void sumsCountersOverTheCpus() throws Exception {
    Dataplane dataplane = scratch.dataplane();
    int cpus = Bpf.libbpf_num_possible_cpus();
    try (Arena arena = Arena.ofConfined();
        BpfMap map =
            BpfMap.pinned(PatchbayMap.COUNTERS, scratch.pins().map(PatchbayMap.COUNTERS))) {
      for (int counter = 0; counter < CounterIndex.count(); counter++) {
        long[] values = new long[cpus];
        Arrays.fill(values, 1L << (4 * counter));
        MemorySegment key = arena.allocateFrom(ValueLayout.JAVA_INT, counter);
        MemorySegment value = arena.allocateFrom(ValueLayout.JAVA_LONG, values);
        assertThat(Bpf.bpf_map_update_elem(map.fd(), key, value)).isZero();
      }
    }
    long n = cpus;
    assertThat(dataplane.counters())
        .isEqualTo(
            new Counters(
                n, n << 4, n << 8, n << 12, n << 16, n << 20, n << 24, n << 28, n << 32, n << 36,
                n << 40, n << 44, n << 48));
  }

  @Test
  void readingNeedsSomethingPinnedAndOfTheRightSize() throws Exception {
    assertThatExceptionOfType(KernelException.NotFound.class)
        .isThrownBy(() -> PinnedDataplane.open(scratch.bpfDir()))
        .withMessageContaining("start the agent (patchbay run)");
    Dataplane.open(scratch.options()).close();
    Path path = scratch.pins().map(PatchbayMap.BACKENDS);
    Files.delete(path);
    Operation operation = new Operation("create", "map backends");
    try (Fd fd =
        Fd.of(
            Bpf.bpf_map_create(MapType.ARRAY, "backends", 4, 8, 8, Bpf.mmapable(), 0), operation)) {
      assertThat(Bpf.bpf_obj_pin(fd.number(), path)).isZero();
    }
    assertThatExceptionOfType(KernelException.Incompatible.class)
        .isThrownBy(() -> PinnedDataplane.open(scratch.bpfDir()))
        .withMessageContaining("found array, key 4, value 8")
        .withMessageContaining("expected array, key 4, value 24");
  }

  @Test
  void useAfterCloseIsAnErrorNotACrash() throws Exception {
    Dataplane dataplane = scratch.dataplane();
    KernelStore store = dataplane.store();
    ObservedState state = store.load();
    dataplane.close();
    assertThatIllegalStateException().isThrownBy(() -> state.backends().read(0, 1));
    assertThatIllegalStateException().isThrownBy(store::load);
    assertThatIllegalStateException().isThrownBy(store::awaitReaders);
    assertThatIllegalStateException()
        .isThrownBy(() -> store.publish(0, ServiceWord.NONE, ServiceSettings.NONE));
    assertThat(FrontendKeyCodec.SIZE).isEqualTo(20);
  }
}
