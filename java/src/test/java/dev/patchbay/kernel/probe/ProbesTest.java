// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel.probe;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** "No" and "could not tell" are different answers. */
final class ProbesTest {
  @Test
  void errorsThatMeanNo() {
    for (int errno : new int[] {-22, -7, -13, -524, -95, -38}) {
      assertThat(Probes.judge("Linux 5.8", errno))
          .as("errno %d", errno)
          .isEqualTo(new ProbeResult.Unsupported("Linux 5.8"));
    }
  }

  @Test
  void errorsThatTellNothing() {
    assertThat(Probes.judge("Linux 5.8", -1))
        .isEqualTo(new ProbeResult.Inconclusive(1, "operation not permitted, EPERM (1)"));
    assertThat(Probes.judge("Linux 5.8", -12)).isInstanceOf(ProbeResult.Inconclusive.class);
    assertThat(Probes.judge("Linux 5.8", -999)).isInstanceOf(ProbeResult.Inconclusive.class);
  }
}
