// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench.programming;

import dev.patchbay.bench.Bench;
import dev.patchbay.bench.Goal;
import dev.patchbay.bench.Measurement;
import dev.patchbay.bench.Peer;
import dev.patchbay.bench.Row;
import dev.patchbay.lab.Daemon;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Patchbay;
import dev.patchbay.lab.Pod;
import dev.patchbay.scale.World;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Starts of the built distribution from manifests, up to 100,000 Services of 10 endpoints. */
public final class ManifestMeasurement implements Measurement {
  /** Of the largest cluster: where the defaults do not suffice. */
  static final List<String> HUGE_OPTIONS =
      List.of(
          "--service-cidr=10.96.0.0/12",
          "--max-services=131072",
          "--max-frontends=262144",
          "--max-backends=2097152");

  private static final String GROUP = "Programming: start from manifests";
  private static final int LARGE = 10_000;
  private static final int HUGE = 100_000;

  /** Services in one file. */
  private static final int FILE = 1_000;

  private static final double MEBI = 1 << 20;
  private static final Duration PATIENCE = Duration.ofMinutes(4);

  /** What a start leaves behind counts as its memory. */
  private static final Duration AFTERWARDS = Duration.ofSeconds(1);

  /** It gives memory back after a start. */
  private static final Duration SETTLING = Duration.ofSeconds(4);

  private static final String WITHOUT_CACHE = "-XX:AOTMode=off";

  @Override
  public String name() {
    return "programming-manifests";
  }

  @Override
  public Duration budget(boolean quick) {
    return quick ? Duration.ofSeconds(15) : Duration.ofMinutes(3);
  }

  @Override
  public List<Goal> goals() {
    return List.of(
        ProgrammingGoals.EMPTY_START,
        ProgrammingGoals.COLD_START_MANIFESTS,
        ProgrammingGoals.HUGE_START,
        ProgrammingGoals.AOT);
  }

  @Override
  public void run(Bench bench) {
    Rows rows = new Rows(bench, GROUP);
    try (Lab lab = Lab.create()) {
      int rounds = bench.quick() ? 2 : 5;
      new Size(rows, lab, 0).starts(rounds, true);
      if (bench.quick()) {
        new Size(rows, lab, 1_000).starts(1, false);
      } else {
        new Size(rows, lab, 1_000).starts(3, false);
        new Size(rows, lab, LARGE).starts(rounds, true);
        new Size(rows, lab, HUGE).starts(2, false);
      }
    }
    rows.growth("start", "Cold start from manifests", "s");
  }

  /** A number of Services, on a node of its own. */
  private static final class Size {
    private final Rows rows;
    private final int services;
    private final Node node;
    private final Pod place;
    private final ProcessGroup group;
    private final Optional<KernelMemory> kernel;
    private final List<String> options;

    Size(Rows rows, Lab lab, int services) {
      this.rows = rows;
      this.services = services;
      node = lab.addNode("of-" + services);
      place = node.addHostPod("agent-of-" + services);
      group = new ProcessGroup(place.cgroup());
      kernel = KernelMemory.of(lab, group);
      options = services == HUGE ? HUGE_OPTIONS : List.of();
      for (int from = 0; from < services; from += FILE) {
        node.write(
            "services-%03d.yaml".formatted(from / FILE),
            World.manifests(from, Math.min(services, from + FILE)));
      }
    }

    /** Starts it again and again, and looks at what the last one holds. */
    void starts(int rounds, boolean withoutCache) {
      Map<Boolean, List<Double>> seconds = new TreeMap<>();
      List<Double> processor = new ArrayList<>();
      List<Double> peaks = new ArrayList<>();
      for (int i = 0; i < rounds; i++) {
        for (boolean cache : withoutCache ? List.of(false, true) : List.of(true)) {
          forget();
          Duration before = group.processorTime();
          try (Peak peak = new Peak(group)) {
            double took = launch(cache ? "" : WITHOUT_CACHE).toNanos() / 1e9;
            seconds.computeIfAbsent(cache, c -> new ArrayList<>()).add(took);
            if (cache) {
              processor.add(group.processorTime().minus(before).toNanos() / 1e9);
              Eventually.pause(AFTERWARDS.toNanos());
              peaks.add(peak.bytes() / MEBI);
            }
          }
        }
      }
      Row start =
          row("start", "process start to ready", "s", seconds.getOrDefault(true, List.of()));
      switch (services) {
        case 0 -> start = start.goal(ProgrammingGoals.EMPTY_START);
        case LARGE -> start = start.goal(ProgrammingGoals.COLD_START_MANIFESTS);
        case HUGE ->
            start = start.goal(ProgrammingGoals.HUGE_START).note(String.join(" ", options));
        default -> {}
      }
      if (!Files.exists(Patchbay.home().resolve("lib/patchbay.aot"))) {
        start = start.note("without an AOT cache: this distribution has none");
      }
      rows.add(start);
      rows.add(row("start-cpu", "processor time of a start", "s", processor));
      rows.add(row("start-peak", "resident memory at most, during a start", "MiB", peaks));
      if (withoutCache) {
        cache(start, seconds.getOrDefault(false, List.of()));
      }
      footprint();
      place.killProcesses();
      forget();
    }

    private Row row(String measure, String title, String unit, List<Double> runs) {
      return rows.row(measure, title, services, Peer.PATCHBAY, unit, runs, runs.size());
    }

    private void cache(Row with, List<Double> without) {
      Row row =
          rows.row(
              "start",
              "process start to ready, without the AOT cache",
              services,
              Peer.PATCHBAY_VARIANT,
              "s",
              without,
              without.size());
      rows.add(row);
      rows.ratio(
          "start-aot",
          "process start to ready",
          services,
          with,
          Optional.of(row),
          ProgrammingGoals.AOT);
    }

    private void footprint() {
      Eventually.pause(SETTLING.toNanos());
      ProcessGroup.Memory memory = group.memory();
      rows.add(
          row(
              "start-resident",
              "resident memory, settled",
              "MiB",
              List.of(memory.resident() / MEBI)));
      rows.add(
          row(
              "start-proportional",
              "proportional set size, settled",
              "MiB",
              List.of(memory.proportional() / MEBI)));
      place.killProcesses();
      kernel.ifPresent(
          now ->
              rows.add(
                  row(
                      "start-kernel",
                      "kernel memory that stays when the process has ended",
                      "MiB",
                      List.of(now.bytes() / MEBI))));
    }

    /** As if it had never been here. */
    private void forget() {
      place.killProcesses();
      var _ = node.cleanup().orFail();
      if (Files.exists(node.stateDirectory())) {
        Lab.deleteTree(node.stateDirectory());
      }
    }

    /** One start, until it says that it is ready. */
    private Duration launch(String javaOptions) {
      List<String> command =
          new ArrayList<>(List.of("env", "JAVA_OPTS=" + javaOptions, Patchbay.binary()));
      command.addAll(node.runArguments(options.toArray(String[]::new)));
      long start = System.nanoTime();
      Daemon agent = place.start(command.toArray(String[]::new));
      kernel.ifPresent(memory -> memory.add(agent.pid()));
      String all =
          "^ready: .*\\bservices=%d frontends=%d backends=%d\\b"
              .formatted(services, services, services * World.ENDPOINTS);
      Daemon _ = agent.awaitOut(all, PATIENCE);
      return Duration.ofNanos(System.nanoTime() - start);
    }
  }
}
