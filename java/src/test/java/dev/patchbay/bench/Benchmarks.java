// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench;

import dev.patchbay.bench.dataplane.DataPlane;
import dev.patchbay.bench.programming.ClusterMeasurement;
import dev.patchbay.bench.programming.KernelMeasurement;
import dev.patchbay.bench.programming.ManifestMeasurement;
import dev.patchbay.lab.Patchbay;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * Runs the benchmarks: {@code Benchmarks [--quick] [--seed=N] [--out=DIRECTORY] [PART ...]}, all
 * parts unless some are named. Started by {@code make bench}.
 */
public final class Benchmarks {
  private Benchmarks() {}

  /** Runs them. Exits with 1 if a part failed; missed goals are no failure. */
  public static void main(String[] arguments) throws Exception {
    boolean quick = false;
    long seed = System.nanoTime();
    Path out = Patchbay.root().resolve("target/bench");
    Set<String> wanted = new TreeSet<>();
    for (String argument : arguments) {
      if (argument.equals("--quick")) {
        quick = true;
      } else if (argument.startsWith("--seed=")) {
        seed = Long.parseLong(argument.substring("--seed=".length()));
      } else if (argument.startsWith("--out=")) {
        out = Path.of(argument.substring("--out=".length()));
      } else {
        wanted.add(argument);
      }
    }
    List<Measurement> parts =
        new ArrayList<>(
            List.of(
                new DataPlane(quick),
                new KernelMeasurement(),
                new ManifestMeasurement(),
                new ClusterMeasurement())); // compares with what the two before it found
    Set<String> unknown = new TreeSet<>(wanted);
    parts.forEach(part -> unknown.remove(part.name()));
    if (!unknown.isEmpty()) {
      throw new IllegalArgumentException(
          "no part " + unknown + "; there are " + parts.stream().map(Measurement::name).toList());
    }
    if (!wanted.isEmpty()) {
      parts.removeIf(part -> !wanted.contains(part.name()));
    }
    boolean failed = false;
    Results results = new Results();
    Machine machine = Machine.describe();
    for (Measurement part : parts) {
      Duration budget = part.budget(quick);
      long start = System.nanoTime();
      try {
        part.run(new Bench(quick, seed, results, start + budget.toNanos()));
      } catch (Exception | AssertionError e) {
        failed = true;
        e.printStackTrace();
        results.remark("%s ended early: %s".formatted(part.name(), firstLine(e)));
      }
      results.remark(
          "%s took %d s.".formatted(part.name(), (System.nanoTime() - start) / 1_000_000_000));
      for (Goal goal : part.goals()) {
        if (results.rows().stream().noneMatch(row -> row.goal().filter(goal::equals).isPresent())) {
          results.add(
              Row.missing(
                      "goal/%s/%s/%s/%s"
                          .formatted(part.name(), goal.id(), goal.measure(), goal.against()),
                      "Goals that were not measured",
                      goal.measure(),
                      Peer.PATCHBAY,
                      Row.RATIO,
                      "not measured in this run")
                  .goal(goal));
        }
      }
      Report.write(out, new Report(machine, quick, seed, results));
    }
    System.exit(failed ? 1 : 0);
  }

  private static String firstLine(Throwable e) {
    return e.toString().lines().findFirst().orElse("");
  }
}
