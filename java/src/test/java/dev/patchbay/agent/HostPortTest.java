// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HostPortTest {
  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1:10249", "0.0.0.0:0", "[::1]:65535", "[::]:10256"})
  void readsAndPrintsTheSame(String text) {
    assertThat(HostPort.parse(text)).get().hasToString(text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ":80",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:x",
        "127.0.0.1:65536",
        "::1:80",
        "[127.0.0.1]:80",
        "[::1:80",
        "::1]:80",
        "localhost:80",
        "127.0.0.1:-1",
        "1.2.3.04:80"
      })
  void refusesWhatIsNone(String text) {
    assertThat(HostPort.parse(text)).isEmpty();
  }

  @Test
  void becomesASocketAddress() {
    assertThat(HostPort.parse("[::1]:80").orElseThrow().toSocketAddress().getPort()).isEqualTo(80);
  }
}
