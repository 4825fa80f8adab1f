// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.table;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.model.IpAddress;
import java.util.List;
import org.junit.jupiter.api.Test;

class BackendTest {
  @Test
  void orderIsUnsigned() {
    List<Backend> sorted =
        List.of(
            new Backend(IpAddress.of("9.0.0.1"), 65535),
            new Backend(IpAddress.of("10.0.0.1"), 80),
            new Backend(IpAddress.of("10.0.0.1"), 40000),
            new Backend(IpAddress.of("200.0.0.1"), 1),
            new Backend(IpAddress.of("1::"), 1),
            new Backend(IpAddress.of("fd00::"), 1));
    assertThat(sorted.reversed().stream().sorted().toList()).isEqualTo(sorted);
  }

  @Test
  void text() {
    assertThat(new Backend(IpAddress.of("10.1.0.7"), 8080)).hasToString("10.1.0.7:8080");
    assertThat(new Backend(IpAddress.of("fd00::7"), 8080)).hasToString("[fd00::7]:8080");
  }
}
