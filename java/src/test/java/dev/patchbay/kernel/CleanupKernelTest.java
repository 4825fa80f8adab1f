// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.kernel.sys.Bpf;
import dev.patchbay.kernel.sys.MapType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What cleanup removes, and what it must not. */
final class CleanupKernelTest {
  /** Links, maps with their layouts, and the directories of each, of the version and above. */
  private static final int EVERYTHING =
      Hook.values().length + 2 * PatchbayMap.values().length + 3 + 2;

  private final Scratch scratch = new Scratch();

  CleanupKernelTest() throws Exception {}

  @AfterEach
  void remove() throws Exception {
    scratch.close();
  }

  private static String version() {
    return "v" + Dataplane.abiVersion();
  }

  private CleanupReport cleanup() throws KernelException {
    return Cleanup.run(scratch.bpfDir(), Optional.empty());
  }

  private static List<Integer> running(Path cgroup, Hook hook) throws KernelException {
    try (Fd directory = Cgroups.open(cgroup)) {
      List<Integer> programs = Bpf.effectivePrograms(directory.number(), hook.type()).value();
      return programs == null ? List.of() : programs;
    }
  }

  private void attachAndClose(Path cgroup) throws Exception {
    try (Dataplane dataplane = Dataplane.open(scratch.options())) {
      dataplane.attach(cgroup);
    }
  }

  @Test
  void removesEverythingOnceAndNothingTwice() throws Exception {
    Path cgroup = scratch.cgroup("");
    attachAndClose(cgroup);
    assertThat(running(cgroup, Hook.PB_CONNECT4)).hasSize(1);
    CleanupReport report = cleanup();
    assertThat(report.removed()).hasSize(EVERYTHING);
    assertThat(report.left()).isEmpty();
    assertThat(report.agent()).isEmpty();
    assertThat(scratch.bpfDir()).doesNotExist();
    for (Hook hook : Hook.values()) {
      assertThat(running(cgroup, hook)).isEmpty();
    }
    assertThat(cleanup()).isEqualTo(new CleanupReport(List.of(), List.of(), Optional.empty()));
  }

  @Test
  void detachesUnderARunningAgentAndSaysSo() throws Exception {
    Path cgroup = scratch.cgroup("");
    Dataplane dataplane = scratch.dataplane();
    dataplane.attach(cgroup);
    assertThat(cleanup().agent())
        .hasValueSatisfying(
            agent ->
                assertThat(agent).startsWith("process " + ProcessHandle.current().pid() + " ("));
    assertThat(running(cgroup, Hook.PB_SENDMSG6)).isEmpty();
    assertThat(dataplane.report().attached()).isFalse();
  }

  @Test
  void removesOtherVersionsToo() throws Exception {
    Path cgroup = scratch.cgroup("");
    attachAndClose(cgroup);
    Files.move(scratch.pins().version(), scratch.bpfDir().resolve("v77"));
    assertThat(running(cgroup, Hook.PB_CONNECT6)).hasSize(1);
    assertThat(cleanup().removed())
        .hasSize(EVERYTHING)
        .anyMatch(line -> line.contains("/v77/links/pb_"));
    assertThat(running(cgroup, Hook.PB_CONNECT6)).isEmpty();
    assertThat(scratch.bpfDir()).doesNotExist();
  }

  @Test
  void leavesAloneWhatIsNotOurs() throws Exception {
    Path cgroup = scratch.cgroup("");
    attachAndClose(cgroup);
    Path maps = scratch.pins().maps();
    Path links = scratch.pins().links();
    Files.createDirectory(scratch.bpfDir().resolve("other"));
    pinMap("other_map", maps.resolve("other_map"));
    pinMap("other_map", scratch.bpfDir().resolve("other/frontends"));
    pinMap("other_map", links.resolve("pb_connect9"));
    Files.createDirectory(maps.resolve("directory"));
    Path layouts = scratch.pins().layouts();
    Path foreign = Files.createSymbolicLink(layouts.resolve("mine"), Path.of("/etc/hosts"));
    // of our kind, but under names that are not theirs
    try (PinnedLink link = PinnedLink.open(scratch.pins(), Hook.PB_CONNECT4).orElseThrow()) {
      assertThat(Bpf.bpf_obj_pin(link.fd(), links.resolve("mine"))).isZero();
      assertThat(Bpf.bpf_obj_pin(link.fd(), links.resolve("pb_other"))).isZero();
      Files.delete(link.path());
    }
    CleanupReport report = cleanup();
    assertThat(report.left())
        .containsExactlyInAnyOrder(
            scratch.bpfDir() + "/other: not a directory of Patchbay's",
            maps + "/other_map: not a map of Patchbay's",
            maps + "/directory: not a map of Patchbay's",
            foreign + ": not a layout of Patchbay's",
            links + "/mine: not a link of Patchbay's",
            links + "/pb_other: not a link of Patchbay's",
            links + "/pb_connect9: not a link of Patchbay's");
    // all but a link; none of the directories, which are in use
    assertThat(report.removed()).hasSize(EVERYTHING - 6);
    assertThat(scratch.pinned())
        .containsExactly(
            "other/frontends",
            version() + "/layouts/mine",
            version() + "/links/mine",
            version() + "/links/pb_connect9",
            version() + "/links/pb_other",
            version() + "/maps/other_map");
    assertThat(running(cgroup, Hook.PB_CONNECT4)).hasSize(1);
  }

  private static void pinMap(String name, Path path) throws Exception {
    Operation operation = new Operation("create", "map " + name);
    try (Fd fd = Fd.of(Bpf.bpf_map_create(MapType.ARRAY, name, 4, 4, 1, 0, 0), operation)) {
      assertThat(Bpf.bpf_obj_pin(fd.number(), path)).isZero();
    }
  }

  @Test
  void detachesLinksWhosePinsAreLostFromTheCgroupThatIsNamed() throws Exception {
    Path cgroup = scratch.cgroup("-named");
    Path bystander = scratch.cgroup("-bystander");
    Path elsewhere = scratch.closing(new Scratch()).bpfDir();
    attachAndClose(bystander);
    PinnedLink bystanders =
        scratch.closing(PinnedLink.open(scratch.pins(), Hook.PB_CONNECT4).orElseThrow());
    cleanupPinsOnly();
    attachAndClose(cgroup);
    PinnedLink kept =
        scratch.closing(PinnedLink.open(scratch.pins(), Hook.PB_CONNECT4).orElseThrow());
    cleanupPinsOnly();
    assertThat(running(cgroup, Hook.PB_CONNECT4)).containsExactly(kept.info().programId());
    assertThat(Cleanup.run(elsewhere, Optional.empty()).removed()).isEmpty();
    assertThat(Cleanup.run(elsewhere, Optional.of(cgroup)).removed())
        .containsExactly("link " + kept.info().id() + " on " + cgroup);
    assertThat(running(cgroup, Hook.PB_CONNECT4)).isEmpty();
    assertThat(running(bystander, Hook.PB_CONNECT4)).containsExactly(bystanders.info().programId());
    assertThat(Cleanup.run(elsewhere, Optional.of(cgroup)).removed()).isEmpty();
  }

  private void cleanupPinsOnly() throws Exception {
    for (Hook hook : Hook.values()) {
      Files.delete(scratch.pins().link(hook));
    }
  }
}
