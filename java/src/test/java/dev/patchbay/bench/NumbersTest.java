// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NumbersTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "1.0049|x|1.005",
        "2.006|x|2.01",
        "21.42|x|21.4",
        "379000|x|379,000",
        "0.1234|us|0.123",
        "41.93|us|41.9",
        "23812.4|1/s|23,812",
        "NaN|us|–"
      })
  void valuesHaveDigitsThatMeanSomething(double value, String unit, String expected) {
    assertThat(Numbers.format(value, unit)).isEqualTo(expected);
  }

  @Test
  void chosenNumbersAreAsChosen() {
    assertThat(Numbers.plain(1.005)).isEqualTo("1.005");
    assertThat(Numbers.plain(10_000)).isEqualTo("10,000");
  }
}
