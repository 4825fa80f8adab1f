// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.kernel.sys.Libc;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** SIGTERM and the end of the process. */
@Timeout(60)
class StopperTest {
  /** A process that waits for a minute in the kernel, where nothing can interrupt it. */
  static final class Waiting {
    private Waiting() {}

    public static void main(String[] arguments) {
      try (Stopper stopper = Stopper.install(() -> System.out.println("asked to stop"))) {
        System.out.println("ready " + stopper.getClass().getSimpleName());
        int result = Libc.pollReadable(Libc.unixSocket(), 60_000);
        System.out.println("came back with " + result);
      }
    }
  }

  /** A process that ends as soon as it is asked to. */
  static final class Obedient {
    private Obedient() {}

    public static void main(String[] arguments) {
      Thread main = Thread.currentThread();
      try (Stopper stopper = Stopper.install(main::interrupt)) {
        System.out.println("ready " + stopper.getClass().getSimpleName());
        sleep();
      } // from here on the process may end at any moment
    }

    private static void sleep() {
      try {
        Thread.sleep(60_000);
      } catch (InterruptedException _) {
        System.out.println("asked to stop");
      }
    }
  }

  private static Process start(Class<?> program) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:+UseSerialGC",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            program.getName())
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  private static int stop(Process process) throws IOException, InterruptedException {
    try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
      assertThat(out.readLine()).isEqualTo("ready Stopper");
      long start = System.nanoTime();
      boolean ignored = process.toHandle().destroy();
      assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(2));
      assertThat(out.readLine()).isEqualTo("asked to stop");
      assertThat(out.readLine()).isNull();
      return process.exitValue();
    } finally {
      process.destroyForcibly();
    }
  }

  @Test
  void whoWaitsInTheKernelEndsWithTheCodeOfTheSignal() throws Exception {
    assertThat(stop(start(Waiting.class))).isEqualTo(143);
  }

  @Test
  void whoEndsInTimeEndsWell() throws Exception {
    assertThat(stop(start(Obedient.class))).isZero();
  }
}
