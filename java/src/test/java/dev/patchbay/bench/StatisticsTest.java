// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class StatisticsTest {
  private static final double EXACT = 1e-12;

  @Test
  void aMedianIsTheMiddleOrBetweenBoth() {
    assertThat(Statistics.median(List.of(3.0, 1.0, 2.0))).isEqualTo(2.0);
    assertThat(Statistics.median(List.of(4.0, 1.0, 2.0, 3.0))).isEqualTo(2.5);
    assertThat(Statistics.median(List.of(7.0))).isEqualTo(7.0);
  }

  @Test
  void aQuantileIsLinearBetweenNeighbours() {
    List<Double> values = List.of(10.0, 20.0, 30.0, 40.0, 50.0);
    assertThat(Statistics.quantile(values, 0)).isEqualTo(10.0);
    assertThat(Statistics.quantile(values, 1)).isEqualTo(50.0);
    assertThat(Statistics.quantile(values, 0.25)).isEqualTo(20.0);
    assertThat(Statistics.quantile(values, 0.9)).isEqualTo(46.0, within(EXACT));
  }

  @Test
  void nothingHasNoQuantile() {
    assertThatThrownBy(() -> Statistics.median(List.of()))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Statistics.quantile(List.of(1.0), 1.5))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void theIntervalOfAConstantIsThatConstant() {
    Interval found = Statistics.confidence(List.of(List.of(2.0, 2.0), List.of(2.0)), new Random(1));
    assertThat(found).isEqualTo(new Interval(2.0, 2.0));
  }

  @Test
  void theIntervalHoldsTheTruthAboutAsOftenAsItSays() {
    Random random = new Random(7);
    int trials = 200;
    int held = 0;
    for (int trial = 0; trial < trials; trial++) {
      List<List<Double>> runs = new ArrayList<>();
      for (int run = 0; run < 7; run++) {
        double shift = 0.01 * random.nextGaussian();
        List<Double> rounds = new ArrayList<>();
        for (int round = 0; round < 20; round++) {
          rounds.add(1 + shift + 0.05 * random.nextGaussian());
        }
        runs.add(rounds);
      }
      if (Statistics.confidence(runs, random).contains(1)) {
        held++;
      }
    }
    assertThat(held).isBetween((int) (0.85 * trials), trials);
  }

  @Test
  void moreRunsMakeTheIntervalNarrower() {
    Random random = new Random(3);
    assertThat(radius(40, random)).isLessThan(radius(4, random));
  }

  private static double radius(int runs, Random random) {
    List<List<Double>> values = new ArrayList<>();
    for (int run = 0; run < runs; run++) {
      values.add(List.of(1 + random.nextGaussian(), 1 + random.nextGaussian()));
    }
    return Statistics.confidence(values, random).radius();
  }
}
