// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench.programming;

import dev.patchbay.bench.Bench;
import dev.patchbay.bench.Goal;
import dev.patchbay.bench.Measurement;
import dev.patchbay.bench.Peer;
import dev.patchbay.bench.Row;
import dev.patchbay.bench.Statistics;
import dev.patchbay.bench.Tools;
import dev.patchbay.lab.Commands;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Node;
import dev.patchbay.scale.ChildJvm;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * From the parsed object to the word in the kernel's maps, beside a program in C that does nothing
 * but write maps of the same form.
 */
public final class KernelMeasurement implements Measurement {
  private static final String GROUP = "Programming: from the event to the kernel";
  private static final int ENDPOINTS = 10;
  private static final int LARGE = 10_000;
  private static final int SMALL = 1_000;
  private static final int HUGE = 100_000;
  private static final int ONE_ENDPOINT = 50_000;
  private static final int BATCH_ENTRIES = 10_000;
  private static final List<Integer> BATCHES = List.of(1, 64, 1024);

  /** Without a limit of a command: 100,000 Services take their time on a busy machine. */
  private static final Duration PATIENCE = Duration.ofMinutes(3);

  private record Operation(String name, String title) {}

  private static final List<Operation> OPERATIONS =
      List.of(
          new Operation("load-again", "full load, warmed up"),
          new Operation("add", "one Service added"),
          new Operation("remove", "one Service removed"),
          new Operation("roll", "one endpoint of a Service of 1,000 changed"),
          new Operation("mass", "one endpoint of each Service changed, at once"));

  @Override
  public String name() {
    return "programming-kernel";
  }

  @Override
  public Duration budget(boolean quick) {
    return quick ? Duration.ofSeconds(20) : Duration.ofMinutes(3);
  }

  @Override
  public List<Goal> goals() {
    return List.of(
        ProgrammingGoals.LOAD,
        ProgrammingGoals.CHANGE,
        ProgrammingGoals.GROWTH,
        ProgrammingGoals.BATCH_CALL,
        ProgrammingGoals.RECONCILE,
        ProgrammingGoals.CHANGE_P99,
        ProgrammingGoals.HUGE_CHANGE_P99);
  }

  @Override
  public void run(Bench bench) {
    Rows rows = new Rows(bench, GROUP);
    try (Lab lab = Lab.create()) {
      Path loader = Tools.built("map_loader");
      Run run = new Run(lab, lab.addNode("maps"), loader, bench, rows);
      int rounds = bench.quick() ? 1 : 3;
      run.programs(SMALL, rounds);
      run.programs(LARGE, rounds);
      run.growth();
      run.batches(rounds);
      if (!bench.quick()) {
        run.programs(HUGE, 1);
        run.oneEndpointEach(rounds);
      }
      rows.growth("change", "One endpoint changed: from the event to the kernel", "µs, p50");
      rows.growth("load", "Full load: from the events to the kernel", "ms");
    }
  }

  /** One run of it. */
  private record Run(Lab lab, Node node, Path loader, Bench bench, Rows rows) {

    private List<Line> java(String... arguments) {
      List<String> command =
          ChildJvm.command(Operations.class, options(arguments), List.of(arguments));
      try {
        return Line.parse(Commands.run(PATIENCE, command, "").orFail().out());
      } finally {
        if (Files.isDirectory(node.bpfDirectory())) {
          Lab.deleteTree(node.bpfDirectory());
        }
      }
    }

    /** The objects of 100,000 Services are there several times; an agent reads them one by one. */
    private static List<String> options(String... arguments) {
      return arguments.length > 3 && arguments[3].equals(Integer.toString(HUGE))
          ? List.of("-Xmx4g")
          : List.of();
    }

    private List<Line> c(String... arguments) {
      List<String> command = new ArrayList<>(List.of(loader.toString()));
      command.addAll(List.of(arguments));
      return Line.parse(Commands.run(PATIENCE, command, "").orFail().out());
    }

    private void programs(int services, int rounds) {
      String count = Integer.toString(services);
      String each = Integer.toString(ENDPOINTS);
      int changes = bench.quick() ? 1_000 : 4_000;
      List<Line> ours = new ArrayList<>();
      List<Line> limit = new ArrayList<>();
      for (int i = 0; i < rounds; i++) {
        limit.addAll(c("load", count, each, "5"));
        ours.addAll(
            java(
                "all",
                node.bpfDirectory().toString(),
                node.cgroup().toString(),
                count,
                each,
                Integer.toString(changes)));
        limit.addAll(c("change", count, each, "20000"));
      }
      Row loaded =
          rows.row(
              "load",
              "full load, the first thing that the JVM does",
              services,
              Peer.PATCHBAY,
              "ms",
              millis(Line.values(ours, "load", "p50_us")),
              rounds);
      Row batches =
          rows.row(
                  "load",
                  "full load by batches",
                  services,
                  Peer.C_LOADER,
                  "ms",
                  millis(Line.values(limit, "load", "batch_us")),
                  5L * rounds)
              .note(
                  "%.3g ms where arrays are written through mapped memory"
                      .formatted(
                          Statistics.percentile(
                              millis(Line.values(limit, "load", "mapped_us")), 50)));
      rows.add(loaded);
      rows.add(batches);
      Row changed = microseconds(ours, "change", "one endpoint changed, p50", "p50_us", services);
      Row changedLast =
          rows.row(
                  "change-p99",
                  "one endpoint changed, p99",
                  services,
                  Peer.PATCHBAY,
                  "ms",
                  millis(Line.values(ours, "change", "p99_us")),
                  (long) rounds * changes)
              .note("pauses of the collector count");
      Row limitChanged =
          rows.row(
              "change",
              "one Service written by a batch and a word, p50",
              services,
              Peer.C_LOADER,
              "µs",
              Line.values(limit, "change", "p50_us"),
              20_000L * rounds);
      rows.add(changed);
      rows.add(
          services == LARGE
              ? changedLast.goal(ProgrammingGoals.CHANGE_P99)
              : services == HUGE
                  ? changedLast.goal(ProgrammingGoals.HUGE_CHANGE_P99)
                  : changedLast);
      rows.add(limitChanged);
      for (Operation operation : OPERATIONS) {
        rows.add(microseconds(ours, operation.name, operation.title, "p50_us", services));
      }
      rows.add(
          rows.row(
              "rate",
              "changes per second, one after the other",
              services,
              Peer.PATCHBAY,
              "1/s",
              Line.values(ours, "sustained", "p50_us").stream().map(us -> 1e6 / us).toList(),
              rounds));
      rows.add(
          rows.row(
              "rate",
              "changes per second, one after the other",
              services,
              Peer.C_LOADER,
              "1/s",
              Line.values(limit, "change", "per_second"),
              rounds));
      if (services == LARGE) {
        rows.ratio(
            "load-to-c",
            "full load",
            services,
            loaded,
            Optional.of(batches),
            ProgrammingGoals.LOAD);
        rows.ratio(
            "change-to-c",
            "one endpoint changed, p50",
            services,
            changed,
            Optional.of(limitChanged),
            ProgrammingGoals.CHANGE);
      }
    }

    private Row microseconds(
        List<Line> lines, String name, String title, String number, int services) {
      return rows.row(
          name,
          title,
          services,
          Peer.PATCHBAY,
          "µs",
          Line.values(lines, name, number),
          Math.round(Line.values(lines, name, "count").stream().mapToDouble(c -> c).sum()));
    }

    private void growth() {
      rows.find("change", LARGE, Peer.PATCHBAY)
          .ifPresent(
              large ->
                  rows.ratio(
                      "change-growth",
                      "one endpoint changed, p50",
                      LARGE,
                      large,
                      rows.find("change", SMALL, Peer.PATCHBAY),
                      ProgrammingGoals.GROWTH));
    }

    private void batches(int rounds) {
      for (int count : BATCHES) {
        String calls = Integer.toString(bench.quick() ? 2_000 : 20_000 / (1 + count / 64));
        List<Line> ours = new ArrayList<>();
        List<Line> limit = new ArrayList<>();
        for (int i = 0; i < rounds; i++) {
          String entries = Integer.toString(BATCH_ENTRIES);
          limit.addAll(c("batch", entries, Integer.toString(count), calls));
          ours.addAll(java("batch", entries, Integer.toString(count), calls));
        }
        String name = "batch-call-" + count;
        String title = "bpf_map_update_batch() of " + count;
        Row java =
            rows.row(
                name, title, 0, Peer.PATCHBAY, "µs", Line.values(ours, "batch", "p50_us"), rounds);
        Row fromC =
            rows.row(
                name, title, 0, Peer.C_LOADER, "µs", Line.values(limit, "batch", "p50_us"), rounds);
        rows.add(java);
        rows.add(fromC);
        rows.ratio(name + "-to-c", title, 0, java, Optional.of(fromC), ProgrammingGoals.BATCH_CALL);
      }
    }

    private void oneEndpointEach(int rounds) {
      List<Double> perService = new ArrayList<>();
      for (int i = 0; i < rounds; i++) {
        List<Line> lines =
            java(
                "load",
                node.bpfDirectory().toString(),
                node.cgroup().toString(),
                Integer.toString(ONE_ENDPOINT),
                "1");
        perService.add(Line.values(lines, "load", "p50_us").getFirst() / ONE_ENDPOINT);
      }
      rows.add(
          rows.row(
                  "reconcile",
                  "full load per Service, 1 endpoint each",
                  ONE_ENDPOINT,
                  Peer.PATCHBAY,
                  "µs",
                  perService,
                  rounds)
              .goal(ProgrammingGoals.RECONCILE)
              .note("Cilium published 14.2 µs on other hardware: no claim of the same run"));
    }

    private static List<Double> millis(List<Double> micros) {
      return micros.stream().map(us -> us / 1e3).toList();
    }
  }
}
