// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.watch;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CgroupNamesTest {
  private final Map<Long, Path> there = new HashMap<>();
  private long now;
  private int walks;
  private final CgroupNames names =
      new CgroupNames(
          () -> {
            walks++;
            return Map.copyOf(there);
          },
          () -> now);

  @Test
  void walksOnceForWhatIsUnknownAndKeepsWhatIsGone() {
    there.put(1L, Path.of(""));
    there.put(2L, Path.of("a/b"));
    assertThat(names.path(2)).contains("/a/b");
    assertThat(names.path(1)).contains("/");
    assertThat(walks).isEqualTo(1);

    there.clear();
    there.put(3L, Path.of("c"));
    assertThat(names.path(2)).contains("/a/b");
    assertThat(names.path(3)).as("not walked again at once").isEmpty();
    now += 1_000_000_000;
    assertThat(names.path(3)).contains("/c");
    assertThat(names.path(4)).isEmpty();
    assertThat(walks).isEqualTo(2);
  }

  @ParameterizedTest
  @CsvSource({
    "/kubepods/burstable/pod0a1b2c3d-0000-1111-2222-333344445555/abc,"
        + "0a1b2c3d-0000-1111-2222-333344445555",
    "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod0a1b2c3d_0000_1111_2222_333344445555.slice/cri-containerd-abc.scope,"
        + "0a1b2c3d-0000-1111-2222-333344445555",
    "/kubepods/pod0123456789abcdef0123456789abcdef/x, 0123456789abcdef0123456789abcdef",
    "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod0a1b2c3d_0000_1111_2222_333344445555.slice,"
        + "0a1b2c3d-0000-1111-2222-333344445555",
    "/system.slice/ssh.service,''",
    "/user/pod0a1b2c3d-0000-1111-2222-333344445555,''",
  })
  void aPodIsKnownByItsPath(String path, String uid) {
    assertThat(CgroupNames.podUid(path).orElse("")).isEqualTo(uid);
  }
}
