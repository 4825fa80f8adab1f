// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.observe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class DurationHistogramTest {
  private static long[] counts(Distribution of) {
    return IntStream.range(0, of.intervals()).mapToLong(of::count).toArray();
  }

  @Test
  void upperBoundsAreInclusiveAndTheLastIntervalHasNone() {
    DurationHistogram histogram = new DurationHistogram(0.001, 0.01);
    histogram.observe(0.001);
    histogram.observe(0.0011);
    histogram.observe(0.01);
    histogram.observe(7);
    histogram.observeNanos(1_000);

    Distribution found = histogram.distribution();

    assertThat(counts(found)).containsExactly(2, 2, 1);
    assertThat(found.bound(1)).isEqualTo(0.01);
    assertThat(found.bound(2)).isInfinite();
    assertThat(found.total()).isEqualTo(5);
    assertThat(found.sum()).isEqualTo(7.012101, offset(1e-9));
  }

  @Test
  void aClockThatWentBackMakesNoNegativeSum() {
    DurationHistogram histogram = new DurationHistogram(1);
    histogram.observe(-5);

    assertThat(histogram.distribution().sum()).isZero();
    assertThat(histogram.distribution().count(0)).isOne();
  }

  @Test
  void whatWasReadDoesNotChange() {
    DurationHistogram histogram = new DurationHistogram(1);
    histogram.observe(0.5);
    Distribution before = histogram.distribution();
    histogram.observe(0.5);

    assertThat(before.total()).isOne();
  }
}
