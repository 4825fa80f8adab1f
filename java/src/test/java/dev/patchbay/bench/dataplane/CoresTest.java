// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class CoresTest {
  @Test
  void listsOfTheKernelAreRead() {
    assertThat(Cores.parse("0")).containsExactly(0);
    assertThat(Cores.parse("0-1")).containsExactly(0, 1);
    assertThat(Cores.parse("2,4-6,9")).containsExactly(2, 4, 5, 6, 9);
  }
}
