// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ScalarTest {
  @ParameterizedTest
  @CsvSource({
    "80, INTEGER",
    "-1, INTEGER",
    "+7, INTEGER",
    "0x1f, INTEGER",
    "0o17, INTEGER",
    "007, INTEGER",
    "0x, STRING",
    "0xg, STRING",
    "1.5, FLOAT",
    "1., FLOAT",
    ".5, FLOAT",
    "1e3, FLOAT",
    "-1.5E-3, FLOAT",
    ".inf, FLOAT",
    ".NaN, FLOAT",
    "1e, STRING",
    "., STRING",
    "-, STRING",
    "'1.2.3', STRING",
    "10.0.0.1, STRING",
    "1Gi, STRING",
    "2026-01-01, STRING",
    "~, NULL",
    "null, NULL",
    "Null, NULL",
    "nULL, STRING",
    "true, BOOLEAN",
    "False, BOOLEAN",
    "yes, BOOLEAN",
    "off, BOOLEAN",
    "y, STRING",
    "text, STRING",
    "-x, STRING",
    "--, STRING"
  })
  void aPlainScalarHasTheTypeThatKubectlSees(String text, Scalar.Type type) {
    assertThat(new Scalar(text, true, 0).type()).isEqualTo(type);
    assertThat(new Scalar(text, false, 0).type()).isEqualTo(Scalar.Type.STRING);
  }

  @Test
  void nothingIsNull() {
    assertThat(new Scalar("", true, 0).type()).isEqualTo(Scalar.Type.NULL);
    assertThat(new Scalar("", false, 0).type()).isEqualTo(Scalar.Type.STRING);
  }

  @ParameterizedTest
  @CsvSource({"true, true", "False, false", "yes, true", "no, false", "On, true", "OFF, false"})
  void booleansHaveValues(String text, boolean value) {
    assertThat(new Scalar(text, true, 0).isTrue()).isEqualTo(value);
  }
}
