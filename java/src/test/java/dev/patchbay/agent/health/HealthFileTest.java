// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.health;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HealthFileTest {
  @TempDir private Path dir;

  @Test
  void givesBackWhatWasWritten() throws IOException {
    HealthFile file =
        new HealthFile(
            1_700_000_000_000L,
            42,
            List.of(
                new Result("programs", true, Status.MENDED, 5, "attached again: \"pb_connect4\""),
                new Result("canary-ipv6", true, Status.NOT_RUN, 6, "no IPv6"),
                new Result("source", false, Status.FAILING, 7, "")));
    file.write(dir);
    assertThat(HealthFile.read(dir)).contains(file);
    assertThat(dir).isDirectoryContaining(path -> path.endsWith("health.json"));
    try (var all = Files.list(dir)) {
      assertThat(all).hasSize(1);
    }
  }

  @Test
  void thereNeedNotBeOne() {
    assertThat(HealthFile.read(dir)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "[]", "{", "{\"checks\":[{\"status\":\"unheard-of\"}]}", "{\"pid\":\"x\"}"})
  void whatIsNoneIsPassedOver(String text) throws IOException {
    Files.writeString(dir.resolve("health.json"), text);
    assertThat(HealthFile.read(dir)).isEmpty();
  }

  @Test
  void fieldsOfLaterVersionsArePassedOver() throws IOException {
    Files.writeString(
        dir.resolve("health.json"),
        """
        {"new":{"a":[1]},"pid":7,"checks":[{"name":"rows","later":[{}],"status":"ok"}]}
        """);
    assertThat(HealthFile.read(dir))
        .contains(new HealthFile(0, 7, List.of(new Result("rows", true, Status.OK, 0, ""))));
  }
}
