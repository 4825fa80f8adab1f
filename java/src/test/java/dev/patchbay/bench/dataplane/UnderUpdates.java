// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench.dataplane;

import dev.patchbay.bench.Bench;
import dev.patchbay.bench.Figure;
import dev.patchbay.bench.Peer;
import dev.patchbay.bench.Row;
import dev.patchbay.bench.Statistics;
import dev.patchbay.bench.dataplane.Race.Laps;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Lab;
import dev.patchbay.scale.ChildJvm;
import dev.patchbay.scale.World;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * What connections feel of updates: the same site, in turns with and without 1,000 changes a second
 * by the code of the agent, in a process of its own.
 */
final class UnderUpdates {
  private static final int RATE = 1000;
  private static final int OPERATIONS = 500;
  private static final double TAIL = 99.9;

  private final Bench bench;
  private final Site site;
  private final int services;

  UnderUpdates(Bench bench, Lab lab, int services) {
    this.bench = bench;
    this.services = services;
    site = new Site(lab, "updates", Peer.PATCHBAY, services);
  }

  void run() throws IOException {
    List<String> command =
        ChildJvm.command(
            Updates.class,
            List.of(),
            List.of(
                site.node().bpfDirectory().toString(),
                site.node().cgroup().toString(),
                Integer.toString(services)));
    Process process = site.node().host().open(command.toArray(String[]::new));
    try (site;
        BufferedReader from =
            new BufferedReader(
                new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII))) {
      String ready = from.readLine();
      if (!"ready".equals(ready)) {
        throw new IOException("the program that updates says " + ready);
      }
      site.targets(Sites.RANDOM, Family.IPV4, addresses());
      Generator generator = site.generator(false);
      Cores.SAME.pin(generator);
      generator.walk(Kind.CRR, Sites.RANDOM + Family.IPV4.number());
      measure(generator, process, from);
    } finally {
      process.destroyForcibly();
    }
  }

  private List<InetSocketAddress> addresses() {
    List<InetSocketAddress> addresses = new ArrayList<>();
    for (int i = 0; i < services; i++) {
      String address = World.service(i, 0).service().clusterIps().getFirst().toString();
      try {
        addresses.add(new InetSocketAddress(InetAddress.getByName(address), 80));
      } catch (UnknownHostException e) {
        throw new AssertionError(e); // it is numeric
      }
    }
    return addresses;
  }

  private void measure(Generator generator, Process process, BufferedReader from)
      throws IOException {
    int runs = bench.quick() ? 3 : 7;
    int rounds = bench.quick() ? 10 : 40;
    RandomGenerator random = bench.random("updates");
    List<Laps> without = new ArrayList<>();
    List<Laps> with = new ArrayList<>();
    long changes = 0;
    long nanos = 0;
    for (int run = 0; run < runs; run++) {
      Laps still = new Laps();
      Laps moving = new Laps();
      for (int round = 0; round < rounds; round++) {
        still.add(slice(generator, random));
        long before = rate(RATE, process, from);
        long start = System.nanoTime();
        moving.add(slice(generator, random));
        nanos += System.nanoTime() - start;
        changes += rate(0, process, from) - before;
      }
      without.add(still);
      with.add(moving);
    }
    if (changes == 0) {
      throw new IllegalStateException("nothing was changed");
    }
    String rate = "%.0f changes a second".formatted(changes * 1e9 / nanos);
    add("goal/D12", "Goals: updates", with, without, TAIL, rate);
    add("updates/p50", "Connections while Services change", with, without, 50, rate);
    add("updates/p99", "Connections while Services change", with, without, 99, rate);
  }

  private static Slice slice(Generator generator, RandomGenerator random) {
    return generator.slice(
        Kind.CRR, Sites.RANDOM + Family.IPV4.number(), OPERATIONS, random.nextLong());
  }

  /** Sets the rate; gives the changes so far. */
  private static long rate(int rate, Process process, BufferedReader from) {
    try {
      process.getOutputStream().write((rate + "\n").getBytes(StandardCharsets.US_ASCII));
      process.getOutputStream().flush();
      String answer = from.readLine();
      if (answer == null) {
        throw new IOException("the program that updates has ended");
      }
      return Long.parseLong(answer);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void add(
      String key,
      String group,
      List<Laps> with,
      List<Laps> without,
      double percentile,
      String rate) {
    List<List<Double>> ratios = new ArrayList<>();
    for (int run = 0; run < with.size(); run++) {
      ratios.add(
          List.of(
              (double) with.get(run).latency.getValueAtPercentile(percentile)
                  / without.get(run).latency.getValueAtPercentile(percentile)));
    }
    long errors = with.stream().mapToLong(laps -> laps.errors).sum();
    Row row =
        Row.of(
                key,
                group,
                percentile == TAIL
                    ? DataGoals.D12.measure()
                    : "connect() p%.0f".formatted(percentile),
                Peer.PATCHBAY,
                Row.RATIO,
                Figure.of(
                        ratios.stream().map(List::getFirst).toList(),
                        with.stream().mapToLong(laps -> laps.operations).sum())
                    .with(Statistics.confidence(ratios, bench.random(key))))
            .services(services)
            .subject("random Service")
            .against("itself without updates")
            .note("%s; %d connections failed".formatted(rate, errors));
    bench.results().add(percentile == TAIL ? row.goal(DataGoals.D12) : row);
  }
}
