// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who holds a lock, from what the kernel says. */
class LockHolderTest {
  private static final String LOCKS =
      """
      1: POSIX  ADVISORY  WRITE 4711 08:01:131090 0 EOF
      2: FLOCK  ADVISORY  WRITE 4712 00:1a:2342 0 EOF
      2: -> FLOCK  ADVISORY  WRITE 4713 00:1a:2342 0 EOF
      3: OFDLCK ADVISORY  READ -1 00:1a:2343 0 EOF
      4: FLOCK  ADVISORY  WRITE 4714 103:02:77 0 EOF
      """;

  @Test
  void theHolderOfALockIsFoundByTheFile() {
    assertThat(LockHolder.holder(LOCKS, 0x1a, 2342)).contains(4712L);
    assertThat(LockHolder.holder(LOCKS, 0x801, 131090)).contains(4711L);
    assertThat(LockHolder.holder(LOCKS, 0x10302, 77)).contains(4714L);
    assertThat(LockHolder.holder(LOCKS, 0x1b, 2342)).isEmpty();
    assertThat(LockHolder.holder(LOCKS, 0x1a, 2343)).as("nobody's number").isEmpty();
    assertThat(LockHolder.holder("", 0x1a, 2342)).isEmpty();
  }

  @Test
  void theCommandIsWhatSomebodyTyped() {
    assertThat(
            LockHolder.command(
                "/opt/jdk/bin/java\0-Xmx1g\0-jar\0/opt/patchbay/lib/patchbay.jar\0run\0--once\0"))
        .isEqualTo("patchbay run --once");
    assertThat(LockHolder.command("java\0dev.patchbay.agent.Main\0run\0"))
        .isEqualTo("patchbay run");
    assertThat(LockHolder.command("bpftool\0map\0")).isEqualTo("bpftool map");
    assertThat(LockHolder.command("x".repeat(1000))).hasSize(163).endsWith("...");
    assertThat(new LockHolder(7, "patchbay run")).hasToString("process 7 (patchbay run)");
    assertThat(new LockHolder(7, "")).hasToString("process 7");
  }

  @Test
  void aLockOfThisProcessIsFoundAndGoesWithIt(@TempDir Path directory) throws IOException {
    Path file = directory.resolve("lock");
    try (FileChannel channel =
            FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock = channel.lock()) {
      assertThat(lock.isValid()).isTrue();
      assertThat(LockHolder.of(file))
          .hasValueSatisfying(
              holder -> {
                assertThat(holder.pid()).isEqualTo(ProcessHandle.current().pid());
                assertThat(holder.command()).isNotEmpty();
              });
    }
    assertThat(LockHolder.of(file)).isEmpty();
    assertThat(LockHolder.of(directory.resolve("none"))).isEmpty();
  }
}
