// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench.dataplane;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class SliceTest {
  @Test
  void theAnswerOfTheGeneratorIsRead() {
    Slice slice = Slice.parse("done 2 1 100000 30000 10000 11 22");
    assertThat(slice.operations()).isEqualTo(2);
    assertThat(slice.errors()).isEqualTo(1);
    assertThat(slice.cost()).isEqualTo(50_000);
    assertThat(slice.cpu()).isEqualTo(20_000);
    assertThat(slice.latencies()).containsExactly(11L, 22L);
  }

  @Test
  void whatItCannotDoIsNoResult() {
    assertThatThrownBy(() -> Slice.parse("error no targets x"))
        .hasMessageContaining("no targets x");
  }
}
