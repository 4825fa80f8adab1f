// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class RepeatsTest {
  private static final long SECOND = 1_000_000_000;

  private final Repeats<String> repeats = new Repeats<>(Duration.ofSeconds(60));

  @Test
  void theSameIsSaidOnceInAPeriodAndThenHowOftenItWasNot() {
    assertThat(repeats.say("a", 0)).hasValue(0);
    for (int i = 1; i < 60; i++) {
      assertThat(repeats.say("a", i * SECOND)).isEmpty();
    }
    assertThat(repeats.say("b", 30 * SECOND)).hasValue(0);
    assertThat(repeats.say("a", 60 * SECOND)).hasValue(59);
    assertThat(repeats.say("a", 61 * SECOND)).isEqualTo(OptionalInt.empty());
    assertThat(repeats.say("a", 120 * SECOND)).hasValue(1);
  }

  @Test
  void theClockMayPassItsLargestValue() {
    assertThat(repeats.say("a", Long.MAX_VALUE - SECOND)).hasValue(0);
    assertThat(repeats.say("a", Long.MIN_VALUE + SECOND)).isEmpty();
    assertThat(repeats.say("a", Long.MIN_VALUE + 70 * SECOND)).hasValue(1);
  }

  @Test
  void theOldestIsForgotten() {
    for (int i = 0; i <= 1000; i++) {
      assertThat(repeats.say("n" + i, i)).hasValue(0);
    }
    assertThat(repeats.say("n1000", 2000)).isEmpty();
    assertThat(repeats.say("n0", 2000)).hasValue(0);
  }
}
