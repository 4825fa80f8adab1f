// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench.dataplane;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.patchbay.bench.Figure;
import dev.patchbay.bench.dataplane.Race.Laps;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ComparisonTest {
  private static final double EXACT = 1e-9;

  /** The histogram keeps three digits. */
  private static final double DIGITS = 2e-3;

  /** Runs of a machine that becomes slower and slower; a factor on top of that. */
  private static List<Laps> drifting(double factor) {
    List<Laps> runs = new ArrayList<>();
    for (int run = 1; run <= 3; run++) {
      Laps laps = new Laps();
      for (int round = 1; round <= 5; round++) {
        long wall = Math.round(10_000 * factor * round * run);
        laps.add(new Slice(10, 0, wall, wall / 4, wall / 4, Collections.nCopies(10, wall / 10)));
      }
      runs.add(laps);
    }
    return runs;
  }

  @Test
  void driftDoesNotMatterSinceRoundsAreDivided() {
    Comparison comparison = new Comparison(drifting(1.1), drifting(1), new Random(1));
    Figure cost = comparison.cost();
    assertThat(cost.value()).isEqualTo(1.1, within(EXACT));
    assertThat(cost.low()).isEqualTo(1.1, within(EXACT));
    assertThat(cost.high()).isEqualTo(1.1, within(EXACT));
    assertThat(cost.samples()).isEqualTo(150);
    assertThat(cost.confidence().orElseThrow().radius()).isEqualTo(0, within(EXACT));
    assertThat(comparison.cpu().value()).isEqualTo(1.1, within(EXACT));
  }

  @Test
  void aRateIsTheOppositeOfACost() {
    assertThat(new Comparison(drifting(1), drifting(2), new Random(1)).rate().value())
        .isEqualTo(2, within(EXACT));
  }

  @Test
  void percentilesAreDividedRunByRun() {
    Figure median = new Comparison(drifting(3), drifting(1), new Random(1)).latency(50);
    assertThat(median.value()).isEqualTo(3, within(3 * DIGITS));
    assertThat(median.runs()).hasSize(3);
  }
}
