// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.kernel.probe.ProbeResult;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Probes on a kernel that has everything. */
final class PreflightKernelTest {
  private final Scratch scratch = new Scratch();

  PreflightKernelTest() throws Exception {}

  @AfterEach
  void remove() throws Exception {
    scratch.close();
  }

  @Test
  void everythingThatIsRequiredIsHere() {
    List<Check> checks = Preflight.run(scratch.bpfDir(), Optional.empty());
    assertThat(checks)
        .extracting(Check::name)
        .containsExactly(
            "JDK",
            "libbpf",
            "capabilities",
            "cgroup v2",
            "bpf file system",
            "socket address programs",
            "getpeername hook",
            "socket storage",
            "mapped arrays",
            "batched map access",
            "ring buffers",
            "network namespace cookie",
            "bpf_set_retval",
            "socket destruction",
            "other network namespaces");
    assertThat(checks).noneMatch(Check::blocks);
    assertThat(checks)
        .filteredOn(Check::required)
        .hasSize(11)
        .allMatch(check -> check.result().equals(ProbeResult.SUPPORTED) && check.fix().isEmpty());
  }

  @Test
  void whatIsMissingBlocksAndSaysWhatToDo() {
    List<Check> checks = Preflight.run(scratch.logs(), Optional.of(scratch.logs()));
    assertThat(checks)
        .filteredOn(Check::blocks)
        .extracting(Check::name, Check::fix)
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple(
                "cgroup v2", "name an existing cgroup v2 directory with --cgroup"),
            org.assertj.core.groups.Tuple.tuple(
                "bpf file system", "mount -t bpf bpf " + scratch.logs()));
  }

  @Test
  void aCgroupIsFoundByItsNumberAndMissedWhenItIsGone() throws Exception {
    Path parent = scratch.cgroup("");
    Path child = scratch.cgroupBelow(parent, "child");
    long id = Cgroups.id(child);
    assertThat(Cgroups.find(id)).contains(child);
    assertThat(Cgroups.isGone(id)).isFalse();
    java.nio.file.Files.delete(child);
    assertThat(Cgroups.find(id)).isEmpty();
    assertThat(Cgroups.isGone(id)).isTrue();
  }
}
