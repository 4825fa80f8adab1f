// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What Go's {@code time.ParseDuration} takes and refuses. */
class GoDurationTest {
  @ParameterizedTest
  @CsvSource({
    "30s, PT30S",
    "15m0s, PT15M",
    "2h22m, PT2H22M",
    "1.5s, PT1.5S",
    ".5s, PT0.5S",
    "1.s, PT1S",
    "100ms, PT0.1S",
    "1us, PT0.000001S",
    "7ns, PT0.000000007S",
    "0, PT0S",
    "0s, PT0S",
    "-5s, PT-5S",
    "+5s, PT5S"
  })
  void isReadAsGoReadsIt(String text, Duration duration) {
    assertThat(GoDuration.parse(text)).contains(duration);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "30", "s", "1d", "1 s", "-", ".s", "1s2", "--1s", "9999999999h", "PT1S"})
  void isRefusedAsGoRefusesIt(String text) {
    assertThat(GoDuration.parse(text)).isEmpty();
  }
}
