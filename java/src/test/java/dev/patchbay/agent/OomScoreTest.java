// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OomScoreTest {
  @ParameterizedTest
  @ValueSource(ints = {-1000, 0, 1000})
  void isWrittenAsANumber(int adjustment, @TempDir Path dir) throws Exception {
    Path file = Files.createFile(dir.resolve("oom_score_adj"));
    OomScore.adjust(file, adjustment);
    assertThat(file).hasContent(Integer.toString(adjustment));
  }

  @ParameterizedTest
  @ValueSource(ints = {-1001, 1001})
  void outOfRangeIsWrongUsage(int adjustment, @TempDir Path dir) {
    assertThatThrownBy(() -> OomScore.adjust(dir.resolve("x"), adjustment))
        .isInstanceOfSatisfying(
            UserError.class, error -> assertThat(error.exitCode()).isEqualTo(2));
  }

  @Test
  void whatIsNotAllowedIsSaidWithTheCapability(@TempDir Path dir) {
    assertThatThrownBy(() -> OomScore.adjust(dir.resolve("missing/file"), -5))
        .isInstanceOf(UserError.class)
        .hasMessageContainingAll("--oom-score-adj -5", "CAP_SYS_RESOURCE");
  }

  @Test
  void thisProcessHasOne() {
    assertThat(OomScore.OWN).exists();
  }
}
