// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.patchbay.kernel.sys.Answer;
import dev.patchbay.kernel.sys.Bpf;
import dev.patchbay.kernel.sys.MapInfo;
import dev.patchbay.lab.AbiVariant;
import dev.patchbay.lab.Commands;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Json;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.Protocol;
import dev.patchbay.table.Backend;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.FrontendValue;
import dev.patchbay.table.ObservedState;
import dev.patchbay.table.Scope;
import dev.patchbay.table.ServiceSettings;
import dev.patchbay.table.ServiceWord;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One version of the ABI takes the place of another, with programs of both on this kernel. */
final class SuccessionKernelTest {
  private static final FrontendKey KEY =
      new FrontendKey(IpAddress.of("10.96.0.1"), 80, Protocol.TCP, Scope.INTERNAL);
  private static final Backend BACKEND = new Backend(IpAddress.of("10.1.0.1"), 8080);
  private static final ServiceSettings SETTINGS = new ServiceSettings(600, false);
  private static final int INDEX = 3;
  private static final int BASE = 17;
  private static final int GENERATION = 41;
  private static final Duration LONG = Duration.ofSeconds(60);

  @TempDir static Path sources;
  private static byte[] original = new byte[0];
  private static byte[] same = new byte[0];
  private static byte[] otherAffinity = new byte[0];
  private static byte[] otherSockets = new byte[0];

  private final Scratch scratch = new Scratch();

  SuccessionKernelTest() throws Exception {}

  @BeforeAll
  static void compile() {
    original = ObjectFile.CURRENT.bytes();
    same = AbiVariant.build(sources, 77).object("sock_lb.bpf.o");
    otherAffinity =
        AbiVariant.build(sources, 78, AbiVariant.Struct.AFFINITY).object("sock_lb.bpf.o");
    otherSockets =
        AbiVariant.build(sources, 79, AbiVariant.Struct.SOCKET_STATE).object("sock_lb.bpf.o");
  }

  @AfterEach
  void remove() throws Exception {
    scratch.close();
  }

  private Dataplane open(byte[] elf) throws KernelException {
    Map<PatchbayMap, Integer> sizes = new EnumMap<>(PatchbayMap.class);
    sizes.put(PatchbayMap.FRONTENDS, 64);
    sizes.put(PatchbayMap.SERVICES, 32);
    sizes.put(PatchbayMap.BACKENDS, 256);
    sizes.put(PatchbayMap.AFFINITY, 64);
    sizes.put(PatchbayMap.UDP_FLOWS, 64);
    return scratch.closing(
        Dataplane.open(scratch.options(), new BpfObject.Recipe("variant", elf, sizes, 0)));
  }

  private Pins pins(byte[] elf) {
    return new Pins(scratch.bpfDir(), new ObjectBtf(elf).abiVersion());
  }

  /** A dataplane with one Service, attached, whose agent has gone. */
  private void run(byte[] elf, Path cgroup) throws Exception {
    try (Dataplane dataplane = open(elf)) {
      serve(dataplane);
      dataplane.attach(cgroup);
    }
  }

  private static void serve(Dataplane dataplane) throws Exception {
    dataplane.store().writeRange(BASE, List.of(BACKEND));
    dataplane.store().publish(INDEX, new ServiceWord(BASE, 1, GENERATION), SETTINGS);
    dataplane.store().upsertFrontends(Map.of(KEY, new FrontendValue.ToService(INDEX)));
  }

  private static int mapId(Pins pins, PatchbayMap map) throws KernelException {
    try (BpfMap opened = BpfMap.pinned(map, pins.map(map))) {
      Answer<MapInfo> info = Bpf.mapInfo(opened.fd());
      MapInfo value = info.value();
      return value == null ? 0 : value.id();
    }
  }

  private static Map<Hook, Integer> linkIds(Pins pins) throws KernelException {
    Map<Hook, Integer> ids = new EnumMap<>(Hook.class);
    for (Hook hook : Hook.values()) {
      try (PinnedLink link = PinnedLink.open(pins, hook).orElseThrow()) {
        ids.put(hook, link.info().id());
      }
    }
    return ids;
  }

  private static int running(Path cgroup, Hook hook) throws KernelException {
    try (Fd directory = Cgroups.open(cgroup)) {
      List<Integer> programs = Bpf.effectivePrograms(directory.number(), hook.type()).value();
      return programs == null ? 0 : programs.size();
    }
  }

  /** The kernel lets go of a link a moment after its last pin is gone. */
  private static void awaitOneOfEach(Path cgroup) {
    Eventually.soon(
        () -> {
          for (Hook hook : Hook.values()) {
            try {
              assertThat(running(cgroup, hook)).as(hook.program()).isEqualTo(1);
            } catch (KernelException e) {
              throw new IllegalStateException(e);
            }
          }
        });
  }

  private static void assertCopied(ObservedState state, int generation) {
    assertThat(state.frontends()).isEqualTo(Map.of(KEY, new FrontendValue.ToService(INDEX)));
    assertThat(state.services())
        .containsEntry(
            INDEX,
            new ObservedState.ObservedService(new ServiceWord(BASE, 1, generation), SETTINGS));
    assertThat(state.backends().read(BASE, 1)).containsExactly(BACKEND);
  }

  @Test
  void theObjectFileSaysItsVersionAndItsLayouts() {
    ObjectBtf mine = new ObjectBtf(original);
    ObjectBtf next = new ObjectBtf(same);
    assertThat(mine.abiVersion()).isEqualTo(Dataplane.abiVersion());
    assertThat(next.abiVersion()).isEqualTo(77);
    for (PatchbayMap map : PatchbayMap.values()) {
      assertThat(next.layout(map)).isEqualTo(mine.layout(map));
    }
    assertThat(mine.layout(PatchbayMap.FRONTENDS))
        .isEqualTo(
            "struct pb_frontend_key {0 address u8[16], 16 port __be16, 18 protocol u8, 19 scope u8}"
                + " 20 -> struct pb_frontend {0 service u32, 4 flags u32} 8");
    assertThat(mine.layout(PatchbayMap.SOCKET_STATE))
        .startsWith("s32 -> struct pb_socket_state {0 ");
    assertThat(mine.layout(PatchbayMap.EVENTS)).isEmpty();
    assertThat(new ObjectBtf(otherAffinity).layout(PatchbayMap.AFFINITY))
        .isNotEqualTo(mine.layout(PatchbayMap.AFFINITY));
    assertThat(new ObjectBtf(otherSockets).layout(PatchbayMap.SOCKET_STATE))
        .isNotEqualTo(mine.layout(PatchbayMap.SOCKET_STATE));
  }

  @Test
  void whatIsNoObjectFileOfOursIsRefused() {
    assertThatExceptionOfType(IllegalArgumentException.class)
        .isThrownBy(() -> new ObjectBtf(new byte[100]));
    assertThatExceptionOfType(IllegalArgumentException.class)
        .isThrownBy(() -> new ObjectBtf(Arrays.copyOf(original, 4000)));
  }

  /** The kernel has the same types, and shows them to bpftool, which runs as root. */
  @Test
  void theRecordBesideAPinIsWhatTheKernelKnowsOfTheMap() throws Exception {
    open(original);
    Path pin = scratch.pins().map(PatchbayMap.UDP_FLOWS);
    long btf = bpftool("map", "show", "pinned", pin.toString()).get("btf_id").number();
    String record = LayoutRecord.read(scratch.pins().layout(PatchbayMap.UDP_FLOWS)).orElseThrow();
    assertThat(record).isEqualTo(new ObjectBtf(original).layout(PatchbayMap.UDP_FLOWS));
    int structs = 0;
    for (Json type : bpftool("btf", "dump", "id", Long.toString(btf)).get("types").elements()) {
      String name = type.find("name").map(Json::text).orElse("");
      if (List.of("pb_udp_flow_key", "pb_udp_flow_end", "pb_peer").contains(name)) {
        structs++;
        String text = record.substring(record.indexOf("struct " + name + " {"));
        for (Json member : type.get("members").elements()) {
          String memberName = member.get("name").text().replace("(anon)", "");
          String start = member.get("bits_offset").number() / 8 + " " + memberName;
          assertThat(text).as(name).contains(start + " ");
        }
        assertThat(text).as(name).contains("} " + type.get("size").number());
      }
    }
    assertThat(structs).isEqualTo(3);
  }

  private static Json bpftool(String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(System.getenv().getOrDefault("BPFTOOL", "bpftool"));
    command.add("--json");
    command.addAll(List.of(arguments));
    return Json.parse(Commands.run(command.toArray(String[]::new)).out());
  }

  @Test
  void equalLayoutsMeanTheSameMapsAndTheSameLinks() throws Exception {
    Path cgroup = scratch.cgroup("");
    run(original, cgroup);
    Pins old = pins(original);
    Pins next = pins(same);
    Map<Hook, Integer> links = linkIds(old);
    int state = mapId(old, PatchbayMap.SOCKET_STATE);
    int connections = mapId(old, PatchbayMap.CONNECTIONS);
    int socketFlows = mapId(old, PatchbayMap.UDP_SOCKET_FLOWS);
    int flows = mapId(old, PatchbayMap.UDP_FLOWS);
    int affinity = mapId(old, PatchbayMap.AFFINITY);
    int frontends = mapId(old, PatchbayMap.FRONTENDS);
    Dataplane dataplane = open(same);
    assertThat(dataplane.firstStart()).isTrue();
    assertCopied(dataplane.store().load(), GENERATION + 1);
    assertThat(linkIds(old)).isEqualTo(links);

    assertThat(dataplane.attach(cgroup)).isInstanceOf(AttachResult.Attached.class);
    assertThat(linkIds(next)).isEqualTo(links);
    assertThat(old.version()).doesNotExist();
    assertThat(mapId(next, PatchbayMap.SOCKET_STATE)).isEqualTo(state);
    assertThat(mapId(next, PatchbayMap.CONNECTIONS)).isEqualTo(connections);
    assertThat(mapId(next, PatchbayMap.UDP_SOCKET_FLOWS)).isEqualTo(socketFlows);
    assertThat(mapId(next, PatchbayMap.UDP_FLOWS)).isEqualTo(flows);
    assertThat(mapId(next, PatchbayMap.AFFINITY)).isEqualTo(affinity);
    assertThat(mapId(next, PatchbayMap.FRONTENDS)).isNotEqualTo(frontends);
    assertThat(running(cgroup, Hook.PB_CONNECT4)).isEqualTo(1);
    dataplane.close();

    try (Dataplane back = open(original)) {
      assertCopied(back.store().load(), GENERATION + 2);
      back.attach(cgroup);
      assertThat(linkIds(old)).isEqualTo(links);
      assertThat(mapId(old, PatchbayMap.SOCKET_STATE)).isEqualTo(state);
      assertThat(next.version()).doesNotExist();
      assertThat(back.report().effective()).isTrue();
    }
  }

  @Test
  void anotherLayoutOfAffinityStartsItAnewAndNothingElse() throws Exception {
    Path cgroup = scratch.cgroup("");
    run(original, cgroup);
    Map<Hook, Integer> links = linkIds(pins(original));
    int state = mapId(pins(original), PatchbayMap.SOCKET_STATE);
    int affinity = mapId(pins(original), PatchbayMap.AFFINITY);
    Dataplane dataplane = open(otherAffinity);
    assertCopied(dataplane.store().load(), GENERATION + 1);
    dataplane.attach(cgroup);
    assertThat(linkIds(pins(otherAffinity))).isEqualTo(links);
    assertThat(mapId(pins(otherAffinity), PatchbayMap.SOCKET_STATE)).isEqualTo(state);
    assertThat(mapId(pins(otherAffinity), PatchbayMap.AFFINITY)).isNotEqualTo(affinity);
  }

  @Test
  void anotherLayoutOfWhatSocketsRememberLeavesTheOldRepliesForAWhile() throws Exception {
    Path cgroup = scratch.cgroup("");
    run(original, cgroup);
    int affinity = mapId(pins(original), PatchbayMap.AFFINITY);
    Path old = pins(original).version();
    Dataplane dataplane = open(otherSockets);
    assertCopied(dataplane.store().load(), GENERATION + 1);
    dataplane.attach(cgroup, false, Duration.ofSeconds(5));
    assertThat(mapId(pins(otherSockets), PatchbayMap.AFFINITY)).isEqualTo(affinity);
    for (Hook hook : Hook.values()) {
      assertThat(running(cgroup, hook)).as(hook.program()).isEqualTo(hook.forReplies() ? 2 : 1);
    }
    assertThat(old).exists();
    Eventually.soon(() -> assertThat(old).doesNotExist());
    awaitOneOfEach(cgroup);
    assertThat(dataplane.report().effective()).isTrue();
  }

  @Test
  void theWaitEndsWithTheAgentAndBeginsAgainWithTheNext() throws Exception {
    Path cgroup = scratch.cgroup("");
    run(original, cgroup);
    try (Dataplane dataplane = open(otherSockets)) {
      dataplane.attach(cgroup, false, LONG);
    }
    assertThat(running(cgroup, Hook.PB_RECVMSG4)).isEqualTo(2);
    try (Dataplane again = open(otherSockets)) {
      again.attach(cgroup, false, LONG);
      assertThat(running(cgroup, Hook.PB_RECVMSG4)).isEqualTo(2);
    }
    try (Dataplane last = open(otherSockets)) {
      last.attach(cgroup, false, Duration.ofMillis(100));
      Eventually.soon(() -> assertThat(pins(original).version()).doesNotExist());
    }
    awaitOneOfEach(cgroup);
  }

  @Test
  void theWayBackDuringTheWaitFindsWhatTheOldSocketsRemember() throws Exception {
    Path cgroup = scratch.cgroup("");
    run(original, cgroup);
    int state = mapId(pins(original), PatchbayMap.SOCKET_STATE);
    int frontends = mapId(pins(original), PatchbayMap.FRONTENDS);
    try (Dataplane dataplane = open(otherSockets)) {
      dataplane.attach(cgroup, false, LONG);
    }
    Dataplane back = open(original);
    assertThat(mapId(pins(original), PatchbayMap.SOCKET_STATE)).isEqualTo(state);
    assertThat(mapId(pins(original), PatchbayMap.FRONTENDS)).isNotEqualTo(frontends);
    assertCopied(back.store().load(), GENERATION + 2);
    back.attach(cgroup, false, Duration.ofMillis(100));
    Eventually.soon(() -> assertThat(pins(otherSockets).version()).doesNotExist());
    assertThat(back.report().effective()).isTrue();
    awaitOneOfEach(cgroup);
  }

  @Test
  void withoutTheSameFrontendsNothingIsTakenOver() throws Exception {
    Path cgroup = scratch.cgroup("");
    run(original, cgroup);
    LayoutRecord.write(pins(original).layout(PatchbayMap.FRONTENDS), "something else");
    int affinity = mapId(pins(original), PatchbayMap.AFFINITY);
    Dataplane dataplane = open(same);
    assertThat(dataplane.store().load().frontends()).isEmpty();
    assertThat(dataplane.store().load().services()).isEmpty();
    dataplane.attach(cgroup, false, LONG);
    assertThat(mapId(pins(same), PatchbayMap.AFFINITY)).isNotEqualTo(affinity);
    assertThat(running(cgroup, Hook.PB_RECVMSG6)).isEqualTo(2);
    assertThat(running(cgroup, Hook.PB_CONNECT6)).isEqualTo(1);
  }

  @Test
  void withoutTheSameServicesIndexesStayAndGenerationsBeginWhereNobodyKnows() throws Exception {
    Path cgroup = scratch.cgroup("");
    run(original, cgroup);
    LayoutRecord.write(pins(original).layout(PatchbayMap.SERVICES), "something else");
    int state = mapId(pins(original), PatchbayMap.SOCKET_STATE);
    Dataplane dataplane = open(same);
    ObservedState observed = dataplane.store().load();
    assertThat(observed.frontends()).isEqualTo(Map.of(KEY, new FrontendValue.ToService(INDEX)));
    assertThat(observed.services()).hasSizeGreaterThan(20);
    assertThat(observed.services().values())
        .allSatisfy(service -> assertThat(service.word().count()).isZero());
    assertThat(mapId(pins(same), PatchbayMap.SOCKET_STATE)).isEqualTo(state);
  }

  @Test
  void aVersionWithoutRecordsIsNotTrusted() throws Exception {
    Path cgroup = scratch.cgroup("");
    run(original, cgroup);
    for (Path record : Pins.list(pins(original).layouts())) {
      Files.delete(record);
    }
    Dataplane dataplane = open(same);
    assertThat(dataplane.store().load().frontends()).isEmpty();
    dataplane.attach(cgroup, false, Duration.ZERO);
    Eventually.soon(() -> assertThat(pins(original).version()).doesNotExist());
  }

  @Test
  void anAttemptThatWasBrokenOffIsBegunAnew() throws Exception {
    Path cgroup = scratch.cgroup("");
    run(original, cgroup);
    int state = mapId(pins(original), PatchbayMap.SOCKET_STATE);
    try (Dataplane attempt = open(same)) {
      attempt.store().deleteFrontends(List.of(KEY)); // gone on in the meantime
      attempt.store().publish(INDEX, new ServiceWord(BASE, 1, 99), SETTINGS);
    }
    assertThat(pins(same).version()).exists();
    Dataplane again = open(same);
    assertCopied(again.store().load(), 100);
    again.attach(cgroup);
    assertThat(mapId(pins(same), PatchbayMap.SOCKET_STATE)).isEqualTo(state);
    assertThat(again.report().effective()).isTrue();
  }

  @Test
  void linksThatMovedInPartAreCompletedByEitherVersion() throws Exception {
    for (byte[] next : List.of(same, original)) {
      Path cgroup = scratch.cgroup("-" + new ObjectBtf(next).abiVersion());
      run(original, cgroup);
      Map<Hook, Integer> links = linkIds(pins(original));
      try (Dataplane attempt = open(same)) {
        assertThat(attempt.firstStart()).isTrue();
        for (Hook hook : List.of(Hook.PB_RECVMSG4, Hook.PB_SENDMSG6, Hook.PB_CONNECT4)) {
          Files.move(pins(original).link(hook), pins(same).link(hook));
        }
      }
      try (Dataplane completed = open(next)) {
        completed.attach(cgroup);
        assertThat(linkIds(pins(next)).values())
            .as("links of version %s", new ObjectBtf(next).abiVersion())
            .containsExactlyInAnyOrderElementsOf(links.values());
        assertThat(completed.report().effective()).isTrue();
        for (Hook hook : Hook.values()) {
          assertThat(running(cgroup, hook)).as(hook.program()).isEqualTo(1);
        }
        assertThat(Pins.list(scratch.bpfDir())).containsExactly(pins(next).version());
      }
      Cleanup.run(scratch.bpfDir(), Optional.empty());
    }
  }

  @Test
  void aTakeoverThatCannotAttachLeavesTheOtherVersionAsItWas() throws Exception {
    Path cgroup = scratch.cgroup("");
    run(original, cgroup);
    Map<Hook, Integer> links = linkIds(pins(original));
    AttachReport before;
    try (PinnedDataplane pinned = PinnedDataplane.open(scratch.bpfDir())) {
      before = pinned.report();
    }
    Dataplane dataplane = open(same);
    Files.createDirectory(pins(same).link(Hook.PB_SENDMSG4));
    assertThatExceptionOfType(KernelException.class).isThrownBy(() -> dataplane.attach(cgroup));
    dataplane.close();
    assertThat(linkIds(pins(original))).isEqualTo(links);
    try (PinnedDataplane pinned = PinnedDataplane.open(scratch.bpfDir())) {
      assertThat(pinned.report()).isEqualTo(before);
    }
    Files.delete(pins(same).link(Hook.PB_SENDMSG4));
  }

  @Test
  void aMapOfTheSameVersionWithAnotherLayoutIsRefused() throws Exception {
    open(original).close();
    LayoutRecord.write(pins(original).layout(PatchbayMap.UDP_FLOWS), "something else");
    assertThatExceptionOfType(KernelException.Incompatible.class)
        .isThrownBy(() -> open(original))
        .withMessageContaining("adopt map udp_flows")
        .withMessageContaining("found something else; expected struct pb_udp_flow_key {");
  }

  @Test
  void cleanupRemovesAllVersionsTogether() throws Exception {
    Path cgroup = scratch.cgroup("");
    run(original, cgroup);
    try (Dataplane dataplane = open(otherSockets)) {
      dataplane.attach(cgroup, false, LONG);
    }
    assertThat(Pins.list(scratch.bpfDir())).hasSize(2);
    CleanupReport report = Cleanup.run(scratch.bpfDir(), Optional.empty());
    assertThat(report.left()).isEmpty();
    assertThat(scratch.bpfDir()).doesNotExist();
    for (Hook hook : Hook.values()) {
      assertThat(running(cgroup, hook)).as(hook.program()).isZero();
    }
  }
}
