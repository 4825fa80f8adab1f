// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RowTest {
  private static final Goal LOW = Goal.atMost("D1", "cost", "direct", 1.03, 1.02);
  private static final Goal HIGH = Goal.atLeast("D4", "rate", "nftables", 1.15, 1.20);

  private static Row row(double value) {
    return Row.of("key", "group", "cost", Peer.PATCHBAY, Row.RATIO, Figure.of(value));
  }

  @ParameterizedTest
  @CsvSource({
    "1.01, MOONSHOT",
    "1.02, MOONSHOT",
    "1.021, MET",
    "1.03, MET",
    "1.0301, MISSED",
    "NaN, NOT_MEASURED"
  })
  void lessIsBetterWhereItIs(double value, Verdict expected) {
    assertThat(row(value).goal(LOW).verdict()).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({"1.2, MOONSHOT", "1.19, MET", "1.15, MET", "1.14, MISSED"})
  void moreIsBetterWhereItIs(double value, Verdict expected) {
    assertThat(row(value).goal(HIGH).verdict()).isEqualTo(expected);
  }

  @Test
  void aGoalWithoutMoonshotIsMetAtBest() {
    Goal goal = new Goal("D6", "p99", "direct", Goal.Bound.AT_MOST, 1.1, OptionalDouble.empty());
    assertThat(row(0.5).goal(goal).verdict()).isEqualTo(Verdict.MET);
  }

  @Test
  void nothingOfAnInvalidSeriesIsMetOrMissed() {
    Row row = row(5).goal(LOW).invalid("direct differs from itself by 3 %");
    assertThat(row.verdict()).isEqualTo(Verdict.VOID);
    assertThat(row.notes()).containsExactly("direct differs from itself by 3 %");
    assertThat(row(5).invalid("x").verdict()).isEqualTo(Verdict.VOID);
  }

  @Test
  void aGoalThatNobodyMeasuredIsNotMet() {
    Row row = Row.missing("k", "g", "cost", Peer.PATCHBAY, Row.RATIO, "no such option").goal(LOW);
    assertThat(row.verdict()).isEqualTo(Verdict.NOT_MEASURED);
    assertThat(row(1).verdict()).isEqualTo(Verdict.NONE);
  }

  @Test
  void noiseIsWarnedOf() {
    Figure wide = Figure.of(1.0).with(new Interval(0.8, 1.2));
    assertThat(Row.of("k", "g", "m", Peer.DIRECT, Row.RATIO, wide).warning())
        .contains("too noisy to mean anything");
    Figure narrow = Figure.of(1.0).with(new Interval(0.99, 1.01));
    assertThat(Row.of("k", "g", "m", Peer.DIRECT, Row.RATIO, narrow).warning()).isEmpty();
    Figure undecided = Figure.of(1.029).with(new Interval(1.02, 1.04));
    assertThat(Row.of("k", "g", "m", Peer.DIRECT, Row.RATIO, undecided).goal(LOW).warning())
        .contains("the gate lies within the confidence interval");
  }

  @Test
  void aFigureIsTheMedianOfItsRuns() {
    Figure figure = Figure.of(List.of(1.3, 1.1, 1.2), 30);
    assertThat(figure.value()).isEqualTo(1.2);
    assertThat(figure.low()).isEqualTo(1.1);
    assertThat(figure.high()).isEqualTo(1.3);
    assertThatThrownBy(() -> Figure.of(List.of(1.0, 2.0), 1))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void keysAreUnique() {
    Results results = new Results();
    results.add(row(1));
    assertThatThrownBy(() -> results.add(row(2))).hasMessageContaining("key");
  }
}
