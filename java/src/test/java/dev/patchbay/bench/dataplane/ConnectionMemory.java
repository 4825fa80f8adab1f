// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench.dataplane;

import dev.patchbay.bench.Bench;
import dev.patchbay.bench.Figure;
import dev.patchbay.bench.Row;
import dev.patchbay.lab.Eventually;
import dev.patchbay.lab.Family;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the kernel allocates for a connection that is open: both sockets, and what is remembered of
 * it. From the sum of all slabs of the machine, before and after many connections.
 */
final class ConnectionMemory {
  private static final String GROUP = "Memory of the kernel for an open TCP connection";
  private static final Path SLABS = Path.of("/proc/slabinfo");
  private static final long SETTLE_NANOS = 500_000_000;

  private final Bench bench;
  private final Sites sites;

  ConnectionMemory(Bench bench, Sites sites) {
    this.bench = bench;
    this.sites = sites;
  }

  void run() {
    int connections = bench.quick() ? 4_000 : 15_000;
    int rounds = bench.quick() ? 2 : 5;
    int most = sites.most();
    List<String> keys =
        List.of(
            "direct",
            "direct2",
            "conntrack",
            "patchbay-" + most,
            "patchbay-conntrack",
            "nftables-" + most,
            "iptables-" + most);
    Map<String, List<Double>> bytes = new LinkedHashMap<>();
    for (int round = 0; round < rounds; round++) {
      for (String key : keys) {
        if (sites.has(key)) {
          bytes
              .computeIfAbsent(key, k -> new ArrayList<>())
              .add(each(sites.site(key).generator(false), connections));
        }
      }
    }
    bytes.forEach(
        (key, each) -> {
          Site site = sites.site(key);
          Row row =
              Row.of(
                      "memory/" + key,
                      GROUP,
                      "both ends together",
                      site.peer(),
                      "bytes",
                      Figure.of(each, (long) rounds * connections))
                  .subject(key.equals("patchbay-conntrack") ? "with connection tracking" : "");
          bench.results().add(site.services() == 0 ? row : row.services(site.services()));
        });
  }

  private static double each(Generator generator, int connections) {
    Eventually.pause(SETTLE_NANOS);
    long before = slabs();
    generator.hold(Sites.FIXED + Family.IPV4.number(), connections);
    Eventually.pause(SETTLE_NANOS);
    long after = slabs();
    generator.drop();
    return (double) (after - before) / connections;
  }

  /** Bytes of all objects that are in use. */
  private static long slabs() {
    try {
      return Files.readAllLines(SLABS).stream()
          .filter(line -> !line.startsWith("#") && !line.startsWith("slabinfo"))
          .map(line -> line.trim().split(" +", 5))
          .mapToLong(fields -> Long.parseLong(fields[1]) * Long.parseLong(fields[3]))
          .sum();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
