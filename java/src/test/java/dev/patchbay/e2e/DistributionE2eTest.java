// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.Client;
import dev.patchbay.lab.Client.Kind;
import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Manifest;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Patchbay;
import dev.patchbay.lab.Pod;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Random means evenly: Pearson's chi-square over seven backends.
 *
 * <p>{@code -Dpatchbay.distribution.connects} changes the number of connections of a run.
 */
@EndToEnd
@Timeout(300)
class DistributionE2eTest {
  private static final int BACKENDS = 7;
  private static final int RUNS = 5;

  /**
   * The point of the chi-square distribution with six degrees of freedom that an even distribution
   * exceeds once in twenty million times. The sum of all runs makes up for what it lets through in
   * a single one.
   */
  private static final double CRITICAL = 45;

  @AutoClose private final Lab lab = Lab.create();
  private final Node node = lab.addNode("node1");
  private final Client client = node.addPod("client").client();

  @BeforeAll
  void start() {
    List<Pod> servers =
        node.addServers(IntStream.range(0, BACKENDS).mapToObj(i -> "s" + i).toArray(String[]::new));
    node.write(
        "all.yaml",
        Manifest.of(
            Manifest.serverService("seven", 10, "app: server"),
            Manifest.pods("app: server", servers)));
    node.startAgent();
  }

  private static double chiSquare(Map<String, Long> hits, int total) {
    assertThat(hits.keySet()).hasSize(BACKENDS).allMatch(name -> name.matches("s\\d"));
    double expected = (double) total / BACKENDS;
    return hits.values().stream()
        .mapToDouble(count -> (count - expected) * (count - expected) / expected)
        .sum();
  }

  @Test
  void connectionsSpreadEvenlyInEachOfFiveRuns() {
    int connects = Patchbay.setting("patchbay.distribution.connects", 30_000);
    Map<String, Long> all = new TreeMap<>();
    for (int run = 0; run < RUNS; run++) {
      Map<String, Long> hits =
          client.hits(Kind.TCP, Family.IPV4.service(10), Checks.BANNER, connects);
      assertThat(chiSquare(hits, connects)).as("run %d: %s", run, hits).isLessThan(CRITICAL);
      hits.forEach((name, count) -> all.merge(name, count, Long::sum));
    }
    assertThat(chiSquare(all, RUNS * connects)).as("all runs: %s", all).isLessThan(CRITICAL);
  }

  @ParameterizedTest
  @EnumSource
  void datagramsOfNewSocketsSpreadEvenly(Family family) {
    for (Kind kind : List.of(Kind.UDP, Kind.UDP_UNCONNECTED)) {
      Map<String, Long> hits = client.hits(kind, family.service(10), Checks.UDP, 4000);
      assertThat(chiSquare(hits, 4000)).as("%s", hits).isLessThan(CRITICAL);
    }
  }

  @Test
  void connectionsOverIpv6SpreadEvenly() {
    Map<String, Long> hits = client.hits(Kind.TCP, Family.IPV6.service(10), Checks.BANNER, 5000);
    assertThat(chiSquare(hits, 5000)).as("%s", hits).isLessThan(CRITICAL);
  }

  @Test
  void theCriticalValueTellsEvenFromUneven() {
    assertThat(
            chiSquare(
                Map.of("s0", 10L, "s1", 10L, "s2", 10L, "s3", 10L, "s4", 10L, "s5", 10L, "s6", 10L),
                70))
        .isZero();
    // What taking a random byte modulo seven would do to 30,000 connections.
    assertThat(
            chiSquare(
                Map.of(
                    "s0", 4336L, "s1", 4336L, "s2", 4336L, "s3", 4336L, "s4", 4219L, "s5", 4219L,
                    "s6", 4218L),
                30_000))
        .isBetween(3.0, 6.0);
    assertThat(
            chiSquare(
                Map.of(
                    "s0", 4700L, "s1", 4217L, "s2", 4217L, "s3", 4217L, "s4", 4217L, "s5", 4216L,
                    "s6", 4216L),
                30_000))
        .isGreaterThan(CRITICAL);
    assertThat(
            chiSquare(
                Map.of(
                    "s0", 22400L, "s1", 21267L, "s2", 21267L, "s3", 21267L, "s4", 21267L, "s5",
                    21266L, "s6", 21266L),
                150_000))
        .isGreaterThan(CRITICAL);
  }
}
