// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench.programming;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.patchbay.bench.Bench;
import dev.patchbay.bench.Chart;
import dev.patchbay.bench.Figure;
import dev.patchbay.bench.Peer;
import dev.patchbay.bench.Results;
import dev.patchbay.bench.Row;
import dev.patchbay.bench.Statistics;
import dev.patchbay.bench.Verdict;
import dev.patchbay.bench.programming.Transitions.Change;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What is computed from what programs and the kernel print. */
class FiguresTest {
  private final Results results = new Results();
  private final Rows rows = new Rows(new Bench(true, 1, results, System.nanoTime()), "group");

  private Row row(String measure, int services, Peer peer, Double... runs) {
    Row row = rows.row(measure, measure, services, peer, "ms", List.of(runs), runs.length);
    rows.add(row);
    return row;
  }

  private Figure figure(String measure, int services, Peer peer) {
    return rows.find(measure, services, peer).flatMap(Row::figure).orElseThrow();
  }

  @Test
  void linesHaveNamesAndNumbers() {
    List<Line> lines = Line.parse("load a=1.5 b=2\nnot a line\nempty\n  load a=3 b=4\nother a=5\n");
    assertThat(lines)
        .containsExactly(
            new Line("load", Map.of("a", 1.5, "b", 2.0)),
            new Line("load", Map.of("a", 3.0, "b", 4.0)),
            new Line("other", Map.of("a", 5.0)));
    assertThat(Line.values(lines, "load", "a")).containsExactly(1.5, 3.0);
    assertThatThrownBy(() -> Line.values(lines, "missing", "a"))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Line.values(lines, "other", "b"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void percentilesAreValuesThatWereMeasured() {
    List<Double> values = List.of(5.0, 1.0, 4.0, 2.0, 3.0);
    assertThat(Statistics.percentile(values, 50)).isEqualTo(3);
    assertThat(Statistics.percentile(values, 60)).isEqualTo(3);
    assertThat(Statistics.percentile(values, 61)).isEqualTo(4);
    assertThat(Statistics.percentile(values, 99)).isEqualTo(5);
    assertThat(Statistics.percentile(values, 100)).isEqualTo(5);
    assertThat(Statistics.percentile(List.of(7.0), 1)).isEqualTo(7);
    assertThatThrownBy(() -> Statistics.percentile(List.of(), 50))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Statistics.percentile(values, 0))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void processorTimeIsOfUserAndSystem() {
    assertThat(ProcessGroup.processorTime("usage_usec 1500\nuser_usec 1000\nsystem_usec 500\n"))
        .isEqualTo(Duration.ofNanos(1_500_000));
    assertThatThrownBy(() -> ProcessGroup.processorTime("user_usec 1\n"))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void memoryIsResidentOrProportional() {
    String rollup = "5500-7ff [rollup]\nRss:     2048 kB\nPss:     1024 kB\nPss_Anon:  512 kB\n";
    assertThat(ProcessGroup.kibibytes(rollup, "Rss")).isEqualTo(2048);
    assertThat(ProcessGroup.kibibytes(rollup, "Pss")).isEqualTo(1024);
    assertThat(ProcessGroup.kibibytes("", "Rss")).isZero();
    assertThat(ProcessGroup.residentPages("2412 188 150 4 0 93 0\n")).isEqualTo(188);
    assertThat(ProcessGroup.residentPages("")).isZero();
  }

  @Test
  void theMemoryControllerIsFoundWhereItIsOfVersion1() {
    String mounts =
        """
        cgroup /sys/fs/cgroup/cpu cgroup rw,relatime,cpu 0 0
        cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0
        cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime,memory_recursiveprot 0 0
        """;
    assertThat(KernelMemory.controller(mounts)).contains(Path.of("/sys/fs/cgroup/memory"));
    assertThat(KernelMemory.controller("cgroup2 /sys/fs/cgroup cgroup2 rw,memory 0 0\n")).isEmpty();
    assertThat(KernelMemory.kernel("anon 1\nkernel 4096\nkernel_stack 5\n")).isEqualTo(4096);
    assertThatThrownBy(() -> KernelMemory.kernel("anon 1\nkernel_stack 5\n"))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void transitionsAreReadUpToTheLastWholeLine() {
    assertThat(Transitions.parse("10 20 a 1\n30 45 ECONNREFUSED 7\n50 60 b 1"))
        .containsExactly(new Change(10, 20, "a", 1), new Change(30, 45, "ECONNREFUSED", 7));
    assertThat(Transitions.parse("")).isEmpty();
    assertThat(new Change(1, 2, "a", 1).served()).isTrue();
    assertThat(new Change(1, 2, "ETIMEDOUT", 1).served()).isFalse();
  }

  @Test
  void aGoalOfLessDividesOursByTheirs() {
    Row ours = row("memory", 10_000, Peer.PATCHBAY, 40.0, 50.0, 60.0);
    Row theirs = row("memory", 10_000, Peer.IPTABLES, 100.0, 200.0, 300.0);
    rows.ratio(
        "memory-ratio", "memory", 10_000, ours, Optional.of(theirs), ProgrammingGoals.RESIDENT);
    Figure ratio = figure("memory-ratio", 10_000, Peer.PATCHBAY);
    assertThat(ratio.value()).isEqualTo(0.25);
    assertThat(ratio.low()).isEqualTo(40.0 / 300);
    assertThat(ratio.high()).isEqualTo(60.0 / 100);
  }

  @Test
  void aGoalOfTimesFasterDividesTheirsByOurs() {
    Row ours = row("load", 10_000, Peer.PATCHBAY, 100.0);
    Row theirs = row("restore", 10_000, Peer.IPTABLES, 7000.0);
    rows.ratio(
        "load-ratio", "load", 10_000, ours, Optional.of(theirs), ProgrammingGoals.LOAD_IPTABLES);
    assertThat(figure("load-ratio", 10_000, Peer.PATCHBAY).value()).isEqualTo(70);
    assertThat(rows.find("load-ratio", 10_000, Peer.PATCHBAY).orElseThrow().verdict())
        .isEqualTo(Verdict.MET);
  }

  @Test
  void aGoalOfMorePerSecondDividesOursByTheirs() {
    Row ours = row("rate", 10_000, Peer.PATCHBAY, 30_000.0);
    Row theirs = row("rate", 10_000, Peer.NFTABLES, 10.0);
    rows.ratio("rate-ratio", "rate", 10_000, ours, Optional.of(theirs), ProgrammingGoals.SUSTAINED);
    assertThat(figure("rate-ratio", 10_000, Peer.PATCHBAY).value()).isEqualTo(3000);
  }

  @Test
  void withoutAPeerARatioIsThereAndHasNoFigure() {
    Row ours = row("load", 10_000, Peer.PATCHBAY, 100.0);
    rows.ratio("load-ratio", "load", 10_000, ours, Optional.empty(), ProgrammingGoals.LOAD);
    assertThat(rows.find("load-ratio", 10_000, Peer.PATCHBAY).orElseThrow().verdict())
        .isEqualTo(Verdict.NOT_MEASURED);
  }

  @Test
  void aChartHasALinePerPeerWithSeveralSizes() {
    row("start", 1_000, Peer.PATCHBAY, 1.0);
    row("start", 10_000, Peer.PATCHBAY, 2.0);
    row("start", 0, Peer.PATCHBAY, 0.5); // no place on a logarithmic axis
    row("start", 10_000, Peer.NFTABLES, 40.0);
    rows.growth("start", "Start", "s");
    assertThat(results.charts()).hasSize(1);
    Chart.Lines chart = (Chart.Lines) results.charts().getFirst();
    assertThat(chart.lines()).hasSize(1);
    assertThat(chart.lines().getFirst().peer()).isEqualTo(Peer.PATCHBAY);
    assertThat(chart.lines().getFirst().points())
        .extracting(Chart.Point::x)
        .containsExactly(1_000.0, 10_000.0);
  }

  @Test
  void aHeadlineHasWhatThereIs() {
    row("obeyed", 10_000, Peer.PATCHBAY, 2.0);
    row("obeyed", 10_000, Peer.NFTABLES, 90.0);
    rows.headline("obeyed", 10_000);
    rows.headline("idle", 10_000);
    assertThat(results.headlines())
        .singleElement()
        .satisfies(
            line -> {
              assertThat(line.measure()).contains("10,000 Services").contains("obeyed");
              assertThat(line.unit()).isEqualTo("ms");
              assertThat(line.figures()).containsOnlyKeys(Peer.PATCHBAY, Peer.NFTABLES);
            });
  }
}
