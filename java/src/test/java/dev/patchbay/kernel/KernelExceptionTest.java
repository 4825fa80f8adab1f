// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import org.junit.jupiter.api.Test;

/** What numbers mean. The numbers are those of Linux on x86_64 and arm64. */
final class KernelExceptionTest {
  private static final Operation PIN = new Operation("pin", "map frontends", "/sys/fs/bpf/x");

  private static void assertMeaning(Class<? extends KernelException> type, int... errnos) {
    for (int errno : errnos) {
      KernelException negative = KernelException.of(-errno, PIN);
      assertThat(negative).as("errno %d", errno).isExactlyInstanceOf(type);
      assertThat(negative.errno()).isEqualTo(errno);
      assertThat(KernelException.of(errno, PIN)).isExactlyInstanceOf(type);
    }
  }

  @Test
  void meanings() {
    assertMeaning(KernelException.NotFound.class, 2);
    assertMeaning(KernelException.Exists.class, 17);
    assertMeaning(KernelException.Denied.class, 1, 13, 30);
    assertMeaning(KernelException.Unsupported.class, 7, 38, 95, 524);
    assertMeaning(KernelException.Other.class, 22, 12, 28, 999);
  }

  @Test
  void aFullMapIsFullOnlyForElements() {
    assertThat(KernelException.ofElement(-7, PIN)).isInstanceOf(KernelException.Full.class);
    assertThat(KernelException.ofElement(-28, PIN)).isInstanceOf(KernelException.Full.class);
    assertThat(KernelException.ofElement(-2, PIN)).isInstanceOf(KernelException.NotFound.class);
    assertThat(KernelException.ofElement(-12, PIN)).isInstanceOf(KernelException.Other.class);
  }

  @Test
  void messagesTellWhatWhyAndHow() {
    KernelException denied = KernelException.of(-1, PIN);
    assertThat(denied)
        .hasMessage(
            "pin map frontends (/sys/fs/bpf/x): operation not permitted, EPERM (1); run as root,"
                + " or grant CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON");
    assertThat(denied.operation()).isEqualTo("pin");
    assertThat(denied.object()).isEqualTo("map frontends");
    assertThat(denied.parameters()).isEqualTo("/sys/fs/bpf/x");
    assertThat(denied.errnoName()).isEqualTo("EPERM (1)");
    assertThat(KernelException.of(-999, new Operation("load", "x")))
        .hasMessage("load x: unknown error, errno 999");
  }

  @Test
  void checkPassesResultsOn() throws KernelException {
    assertThat(KernelException.check(7, PIN)).isEqualTo(7);
    assertThat(KernelException.check(0, PIN)).isZero();
    assertThatExceptionOfType(KernelException.Exists.class)
        .isThrownBy(() -> KernelException.check(-17, PIN));
  }

  @Test
  void failedFileOperations() {
    assertThat(KernelException.ofIo(PIN, new NoSuchFileException("/x")))
        .isInstanceOf(KernelException.NotFound.class);
    assertThat(KernelException.ofIo(PIN, new AccessDeniedException("/x")))
        .isInstanceOf(KernelException.Denied.class);
    assertThat(KernelException.ofIo(PIN, new FileSystemException("/x", null, "Not a directory")))
        .isInstanceOf(KernelException.Other.class)
        .hasMessageEndingWith(": Not a directory");
    assertThat(KernelException.ofIo(PIN, new IOException("gone"))).hasMessageContaining("gone");
  }

  @Test
  void theVerifiersReasonIsItsLastLine() {
    String log =
        """
        0: R1=ctx() R10=fp0
        ; return 0;
        5: (b7) r0 = 0
        last insn is not an exit or jmp
        processed 6 insns (limit 1000000) max_states_per_insn 0
        """;
    assertThat(BpfObject.summary(log)).isEqualTo("last insn is not an exit or jmp");
    assertThat(BpfObject.summary("")).isEqualTo("no reason given");
  }

  @Test
  void capabilities() {
    assertThat(Capabilities.missing("Name:\tx\nCapEff:\t000001ffffffffff\n")).isEmpty();
    assertThat(Capabilities.missing("CapEff:\t000000c000001000\n")).isEmpty();
    assertThat(Capabilities.missing("CapEff:\t0000000000201000\n")).isEmpty();
    assertThat(Capabilities.missing("CapEff:\t0000000000200000\n"))
        .containsExactly(Capabilities.CAP_NET_ADMIN);
    assertThat(Capabilities.missing("CapEff:\t0000008000001000\n"))
        .containsExactly(Capabilities.CAP_PERFMON);
    assertThat(Capabilities.missing("CapEff:\t0000004000001000\n"))
        .containsExactly(Capabilities.CAP_BPF);
    assertThat(Capabilities.missing("CapEff:\t0000000000000000\n"))
        .containsExactly(Capabilities.values());
    assertThat(Capabilities.missing("")).containsExactly(Capabilities.values());
  }
}
