// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench.programming;

import dev.patchbay.bench.Bench;
import dev.patchbay.bench.Goal;
import dev.patchbay.bench.Measurement;
import dev.patchbay.bench.Peer;
import dev.patchbay.bench.Row;
import dev.patchbay.lab.Lab;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Stream;

/**
 * Patchbay and kube-proxy in both modes on one API server: starts, changes up to the first
 * connection that obeys, processor time and memory.
 */
public final class ClusterMeasurement implements Measurement {
  static final int LARGE = 10_000;
  static final int SMALL = 1_000;

  @Override
  public String name() {
    return "programming-cluster";
  }

  @Override
  public Duration budget(boolean quick) {
    return quick ? Duration.ofSeconds(60) : Duration.ofMinutes(14);
  }

  @Override
  public List<Goal> goals() {
    return List.of(
        ProgrammingGoals.LOAD_IPTABLES,
        ProgrammingGoals.LOAD_NFTABLES,
        ProgrammingGoals.CHANGE_IPTABLES,
        ProgrammingGoals.CHANGE_NFTABLES,
        ProgrammingGoals.SUSTAINED,
        ProgrammingGoals.OBEYED,
        ProgrammingGoals.KERNEL_IPTABLES,
        ProgrammingGoals.KERNEL_NFTABLES,
        ProgrammingGoals.PEAK,
        ProgrammingGoals.RESTART_IPTABLES,
        ProgrammingGoals.RESTART_NFTABLES,
        ProgrammingGoals.FAILURES,
        ProgrammingGoals.OBEYED_P99,
        ProgrammingGoals.CHANGE_CPU,
        ProgrammingGoals.COLD_START,
        ProgrammingGoals.RESIDENT,
        ProgrammingGoals.IDLE);
  }

  @Override
  public void run(Bench bench) {
    Rows rows = new Rows(bench, ClusterRun.GROUP);
    List<Integer> sizes = bench.quick() ? List.of(SMALL) : List.of(0, SMALL, LARGE);
    for (int services : sizes) {
      try (Lab lab = Lab.create()) {
        new ClusterRun(bench, lab, services).run();
      }
    }
    if (sizes.contains(LARGE)) {
      compare(rows);
      for (String measure :
          List.of("obeyed", "obeyed-p99", "change-cpu", "cold-start", "memory", "idle")) {
        rows.headline(measure, LARGE);
      }
    }
    rows.growth("cold-start", "Cold start from the API server", "s");
    rows.growth("obeyed", "One endpoint changed: to the first connection that obeys", "ms, p50");
    rows.growth("change-cpu", "Processor time for one endpoint changed", "ms");
    rows.growth("resident", "Resident memory, settled", "MiB");
    rows.growth("kernel", "Kernel memory that stays when the process has ended", "MiB");
  }

  /** What is a ratio of figures that are there by now. */
  private static void compare(Rows rows) {
    ratio(rows, "load", "cold", "restore", Peer.IPTABLES, ProgrammingGoals.LOAD_IPTABLES);
    ratio(rows, "load", "cold", "restore", Peer.NFTABLES, ProgrammingGoals.LOAD_NFTABLES);
    ratio(rows, "change-p99", "", "sync", Peer.IPTABLES, ProgrammingGoals.CHANGE_IPTABLES);
    ratio(rows, "change-p99", "", "sync", Peer.NFTABLES, ProgrammingGoals.CHANGE_NFTABLES);
    ratio(rows, "obeyed-p99", "", "obeyed-p99", Peer.IPTABLES, ProgrammingGoals.OBEYED);
    ratio(rows, "kernel", "", "kernel", Peer.IPTABLES, ProgrammingGoals.KERNEL_IPTABLES);
    ratio(rows, "kernel", "", "kernel", Peer.NFTABLES, ProgrammingGoals.KERNEL_NFTABLES);
    ratio(rows, "peak", "", "restore-peak", Peer.IPTABLES, ProgrammingGoals.PEAK);
    ratio(rows, "restart", "", "restore", Peer.IPTABLES, ProgrammingGoals.RESTART_IPTABLES);
    ratio(rows, "restart", "", "restore", Peer.NFTABLES, ProgrammingGoals.RESTART_NFTABLES);
    ratio(rows, "memory", "", "memory", Peer.IPTABLES, ProgrammingGoals.RESIDENT);
    better(rows, "change-cpu", ProgrammingGoals.CHANGE_CPU);
    better(rows, "idle", ProgrammingGoals.IDLE);
    sustained(rows);
  }

  private static void ratio(
      Rows rows, String ours, String what, String theirs, Peer peer, Goal goal) {
    Optional<Row> own = rows.find(ours, LARGE, Peer.PATCHBAY);
    if (own.isPresent()) {
      String name = ours + "-to-" + (peer == Peer.IPTABLES ? "iptables" : "nftables");
      rows.ratio(
          name,
          goal.measure() + (what.isEmpty() ? "" : ", " + what),
          LARGE,
          own.get(),
          rows.find(theirs, LARGE, peer),
          goal);
    }
  }

  /** Against the mode of kube-proxy that needs less. */
  private static void better(Rows rows, String measure, Goal goal) {
    Optional<Row> best =
        Stream.of(Peer.IPTABLES, Peer.NFTABLES)
            .flatMap(peer -> rows.find(measure, LARGE, peer).stream())
            .filter(row -> row.figure().isPresent())
            .reduce((a, b) -> value(a) <= value(b) ? a : b);
    rows.find(measure, LARGE, Peer.PATCHBAY)
        .ifPresent(
            own -> rows.ratio(measure + "-to-kube-proxy", own.measure(), LARGE, own, best, goal));
  }

  private static double value(Row row) {
    return row.figure().orElseThrow().value();
  }

  /** As many changes as fit in a second: ours are measured, nftables' follow from its time. */
  private static void sustained(Rows rows) {
    Optional<Row> ours = rows.find("rate", LARGE, Peer.PATCHBAY);
    OptionalDouble seconds =
        rows.find("sync", LARGE, Peer.NFTABLES).flatMap(Row::figure).stream()
            .mapToDouble(figure -> figure.value() / 1e3)
            .findFirst();
    if (ours.isPresent() && seconds.isPresent()) {
      Row theirs =
          rows.row(
                  "rate",
                  "changes per second, one after the other",
                  LARGE,
                  Peer.NFTABLES,
                  "1/s",
                  List.of(1 / seconds.getAsDouble()),
                  1)
              .note("from the time of one sync");
      rows.add(theirs);
      rows.ratio(
          "rate-to-nftables",
          "changes per second",
          LARGE,
          ours.get(),
          Optional.of(theirs),
          ProgrammingGoals.SUSTAINED);
    }
  }
}
