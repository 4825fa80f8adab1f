// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench.dataplane;

import dev.patchbay.bench.Bench;
import dev.patchbay.bench.Figure;
import dev.patchbay.bench.Peer;
import dev.patchbay.bench.Row;
import dev.patchbay.bench.Statistics;
import dev.patchbay.lab.BpfTool;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Json;
import dev.patchbay.lab.Patchbay;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the programs cost by themselves, as the kernel counts it, and how many instructions the
 * verifier looked at, beside those of a run that is committed.
 *
 * <p>The kernel's counters are for the whole machine and are put back.
 */
final class ProgramCosts {
  private static final String GROUP = "What a run of a program takes, as the kernel counts it";
  private static final Path SWITCH = Path.of("/proc/sys/kernel/bpf_stats_enabled");
  private static final Path BASELINE =
      Patchbay.root().resolve("java/src/test/resources/bench/verified-instructions.json");

  /** A case: a site, what its client does, and the hooks of which the time is wanted. */
  private record Case(String site, Kind kind, String targets, String subject, List<String> hooks) {}

  private final Bench bench;
  private final Sites sites;
  private final int runs;
  private final int operations;

  ProgramCosts(Bench bench, Sites sites) {
    this.bench = bench;
    this.sites = sites;
    runs = bench.quick() ? 3 : 7;
    operations = bench.quick() ? 1000 : 5000;
  }

  /**
   * Measures.
   *
   * @param connect the p50 of a direct connect(), in ns
   */
  void run(double connect) {
    instructions();
    String before = read();
    Thread restore = new Thread(() -> write(before), "bpf-statistics-off");
    Runtime.getRuntime().addShutdownHook(restore);
    try {
      write("1");
      times(connect);
    } finally {
      write(before);
      Runtime.getRuntime().removeShutdownHook(restore);
    }
  }

  private static String read() {
    try {
      return Files.readString(SWITCH).strip();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void write(String value) {
    try {
      Files.writeString(SWITCH, value + "\n");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  // --- Time -------------------------------------------------------------------------------------

  private void times(double connect) {
    String ours = "patchbay-" + sites.most();
    List<String> connects = List.of("connect4", "sock_ops", "sock_release");
    List<String> datagrams = List.of("sendmsg4", "recvmsg4");
    List<Case> cases = new ArrayList<>();
    for (String site : List.of("noop", ours, "no-events", "one-way")) {
      cases.add(new Case(site, Kind.CRR, Sites.FIXED, "one Service", connects));
    }
    cases.add(new Case(ours, Kind.CRR, Sites.RANDOM, "random Service", connects));
    cases.add(new Case(ours, Kind.CRR, Sites.FOREIGN, "address of no Service", connects));
    cases.add(new Case(ours, Kind.CRR, Sites.STICKY, "Service with session affinity", connects));
    cases.add(new Case("noop", Kind.UDP_TO, Sites.UDP, "unconnected UDP", datagrams));
    cases.add(new Case(ours, Kind.UDP_TO, Sites.UDP, "unconnected UDP", datagrams));
    Map<String, List<Double>> found = new HashMap<>();
    for (int run = 0; run < runs; run++) {
      for (Case one : cases) {
        measure(one)
            .forEach(
                (hook, nanos) ->
                    found.computeIfAbsent(key(one, hook), key -> new ArrayList<>()).add(nanos));
      }
    }
    for (Case one : cases) {
      for (String hook : one.hooks()) {
        List<Double> nanos = found.get(key(one, hook));
        if (nanos != null) {
          add(one, hook, Figure.of(nanos, (long) runs * operations));
        }
      }
    }
    List<Double> noop = found.get("noop/fixed/connect4");
    List<Double> service = found.get(ours + "/fixed/connect4");
    if (noop != null && service != null) {
      double floor = Statistics.median(noop);
      bench
          .results()
          .add(
              Row.of(
                      "programs/goal/D10",
                      "Goals: programs",
                      DataGoals.D10.measure(),
                      Peer.PATCHBAY,
                      "%",
                      Figure.of(
                          service.stream().map(ns -> 100 * (ns - floor) / connect).toList(),
                          (long) runs * operations))
                  .services(sites.most())
                  .goal(DataGoals.D10)
                  .note("a direct connect() has a p50 of %.1f us".formatted(connect / 1e3)));
    }
  }

  private static String key(Case one, String hook) {
    return one.site() + "/" + one.targets() + "/" + hook;
  }

  /** ns of a run of each hook's programs, all those at the hook together. */
  private Map<String, Double> measure(Case one) {
    Site site = sites.site(one.site());
    Generator generator = site.generator(false);
    String targets = one.targets() + Family.IPV4.number();
    Cores.SAME.pin(generator);
    generator.slice(one.kind(), targets, 200, 1);
    Map<String, long[]> before = counted(site);
    generator.slice(one.kind(), targets, operations, bench.random(one.subject()).nextLong());
    Map<String, long[]> after = counted(site);
    Map<String, Double> nanos = new HashMap<>();
    for (String hook : one.hooks()) {
      long[] start = before.getOrDefault(hook, new long[2]);
      long[] end = after.getOrDefault(hook, new long[2]);
      if (end[1] > start[1]) {
        nanos.put(hook, (double) (end[0] - start[0]) / (end[1] - start[1]));
      }
    }
    return nanos;
  }

  /** By hook: ns and runs so far. */
  private static Map<String, long[]> counted(Site site) {
    Map<String, long[]> found = new HashMap<>();
    for (Json program : BpfTool.programs(site.node().cgroup())) {
      long[] sum = found.computeIfAbsent(program.get("hook").text(), hook -> new long[2]);
      sum[0] += program.get("run_time_ns").number();
      sum[1] += program.get("run_cnt").number();
    }
    return found;
  }

  private void add(Case one, String hook, Figure figure) {
    Site site = sites.site(one.site());
    Row row =
        Row.of("programs/" + key(one, hook), GROUP, hook, site.peer(), "ns", figure)
            .subject(
                switch (site.key()) {
                  case "no-events" -> one.subject() + ", hooks for watchers compiled out";
                  case "one-way" -> one.subject() + ", without reverse translation";
                  default -> one.subject();
                });
    bench.results().add(site.services() == 0 ? row : row.services(site.services()));
  }

  // --- Instructions -----------------------------------------------------------------------------

  private void instructions() {
    Optional<Json> baseline = baseline();
    for (Json program : BpfTool.programs(sites.site("patchbay-" + sites.most()).node().cgroup())) {
      String hook = program.get("hook").text();
      long verified = program.get("verified_insns").number();
      Row row =
          Row.of(
                  "programs/verified/" + hook,
                  "Instructions that the verifier looked at",
                  "instructions",
                  Peer.PATCHBAY,
                  "",
                  Figure.of((double) verified))
              .subject(hook);
      Optional<Long> known = baseline.flatMap(all -> all.find(hook)).map(Json::number);
      bench.results().add(known.map(past -> row.note(change(verified, past))).orElse(row));
      if (known.isPresent()) {
        bench
            .results()
            .add(
                Row.of(
                        "programs/goal/verified/" + hook,
                        "Goals: programs",
                        DataGoals.VERIFIED.measure(),
                        Peer.PATCHBAY,
                        Row.RATIO,
                        Figure.of((double) verified / known.get()))
                    .subject(hook)
                    .against("the committed %,d".formatted(known.get()))
                    .goal(DataGoals.VERIFIED));
      }
    }
  }

  private static String change(long now, long past) {
    return now == past
        ? "as in the committed baseline"
        : "%,d in the committed baseline".formatted(past);
  }

  /** By hook; of the kernel and compiler that it names. */
  private static Optional<Json> baseline() {
    if (!Files.exists(BASELINE)) {
      return Optional.empty();
    }
    try {
      return Optional.of(Json.parse(Files.readString(BASELINE)).get("instructions"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
