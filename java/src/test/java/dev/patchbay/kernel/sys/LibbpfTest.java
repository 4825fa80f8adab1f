// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel.sys;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** What is said when libbpf cannot be used. */
final class LibbpfTest {
  @Test
  void versions() {
    assertThat(Libbpf.judge(1, 1)).isEmpty();
    assertThat(Libbpf.judge(1, 5)).isEmpty();
    assertThat(Libbpf.judge(2, 0)).isEmpty();
    assertThat(Libbpf.judge(0, 8)).isPresent();
    assertThat(Libbpf.judge(1, 0))
        .contains(
            "libbpf 1.0 is too old, 1.1 or newer is needed; install it: apt-get install libbpf1"
                + " (Debian, Ubuntu) or dnf install libbpf (Fedora, RHEL)");
  }

  @Test
  void missing() {
    Error thrown =
        new ExceptionInInitializerError(
            new IllegalArgumentException("Cannot open library: libbpf.so.1"));
    assertThat(Libbpf.explain(thrown))
        .startsWith("libbpf.so.1 cannot be loaded (Cannot open library: libbpf.so.1); install it:")
        .contains("apt-get install libbpf1")
        .contains("dnf install libbpf");
  }

  @Test
  void nativeAccessNotGranted() {
    Error thrown =
        new ExceptionInInitializerError(new IllegalCallerException("Illegal native access"));
    assertThat(Libbpf.explain(thrown))
        .isEqualTo(
            "native access is not granted; start java with --enable-native-access=ALL-UNNAMED");
  }

  @Test
  void errnoNames() {
    assertThat(Errno.describe(-28)).isEqualTo("ENOSPC (28)");
    assertThat(Errno.describe(524)).isEqualTo("ENOTSUPP (524)");
    assertThat(Errno.describe(999)).isEqualTo("errno 999");
    assertThat(Errno.of(-2)).isEqualTo(Errno.ENOENT);
    assertThat(Errno.ENOENT.is(-2)).isTrue();
    assertThat(Errno.ENOENT.is(2)).isFalse();
    assertThat(Errno.UNKNOWN.is(-5)).isFalse();
  }
}
