// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ProcessAgeTest {
  @Test
  void countsFromTheStartFieldAlsoBehindAnOddName() {
    String stat =
        "4711 (odd) name (x)) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 123450 20 21";

    assertThat(ProcessAge.age(stat, "1236.75 99.10\n")).isEqualTo(2250);
  }

  @Test
  void isNeverNegative() {
    String stat = "1 (x) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 200 20";

    assertThat(ProcessAge.age(stat, "1.50 0.00\n")).isZero();
  }

  @Test
  void readsThisProcess() {
    assertThat(ProcessAge.millis()).isBetween(10L, 3_600_000L);
  }
}
