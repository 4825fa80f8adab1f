// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class MountsTest {
  private static final Mounts HYBRID =
      Mounts.parse(
          """
          /dev/root / ext4 rw,relatime 0 0
          tmpfs /sys/fs/cgroup tmpfs rw 0 0
          cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0
          cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0
          bpf /sys/fs/bpf bpf rw 0 0
          broken line
          none /mnt/with\\040space\\134 cgroup2 rw 0 0
          """);

  private static Optional<String> type(Mounts mounts, String path) {
    return mounts.covering(Path.of(path)).map(Mounts.Entry::type);
  }

  @Test
  void theDeepestMountCovers() {
    assertThat(type(HYBRID, "/sys/fs/cgroup/unified/a/b")).contains("cgroup2");
    assertThat(type(HYBRID, "/sys/fs/cgroup/unified")).contains("cgroup2");
    assertThat(type(HYBRID, "/sys/fs/cgroup/unifiedX")).contains("tmpfs");
    assertThat(type(HYBRID, "/sys/fs/bpf/patchbay")).contains("bpf");
    assertThat(type(HYBRID, "/tmp")).contains("ext4");
    assertThat(type(new Mounts(java.util.List.of()), "/tmp")).isEmpty();
  }

  @Test
  void findsAHybridHierarchyAndEscapedNames() {
    assertThat(HYBRID.ofType("cgroup2"))
        .containsExactly(Path.of("/sys/fs/cgroup/unified"), Path.of("/mnt/with space\\"));
    assertThat(HYBRID.ofType("xfs")).isEmpty();
  }

  @Test
  void aLaterMountHidesAnEarlierOne() {
    Mounts mounts = Mounts.parse("bpf /sys/fs/bpf bpf rw 0 0\ntmpfs /sys/fs/bpf tmpfs rw 0 0\n");
    assertThat(type(mounts, "/sys/fs/bpf/x")).contains("tmpfs");
    assertThat(mounts.ofType("bpf")).isEmpty();
    assertThat(mounts.ofType("tmpfs")).hasSize(1);
  }
}
