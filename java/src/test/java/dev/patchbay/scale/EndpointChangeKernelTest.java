// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.scale;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.EndToEnd;
import dev.patchbay.lab.Lab;
import dev.patchbay.lab.Node;
import dev.patchbay.lab.Patchbay;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/**
 * One changed endpoint among many Services, from the parsed object to the word that programs read,
 * in the maps of this kernel.
 *
 * <p>It runs in a JVM of its own with the options of the agent, warmed up; pauses of the collector
 * count. What others do on the machine can only make it slower, so a bound has to hold in one round
 * of several; all of them are printed.
 *
 * <p>{@code -Dpatchbay.scale.changes} changes the number of changes in a round.
 */
@EndToEnd
class EndpointChangeKernelTest {
  private static final Pattern FIGURE = Pattern.compile("(\\w+)=([\\d.]+)");
  private static final int ROUNDS = 3;
  private static final int CHANGES = Patchbay.setting("patchbay.scale.changes", 4000);

  @AutoClose private final Lab lab = Lab.create();

  private List<Map<String, Double>> measure(int services) {
    Node node = lab.addNode("n" + services);
    List<String> arguments =
        List.of(
            node.bpfDirectory().toString(),
            node.cgroup().toString(),
            Integer.toString(services),
            Integer.toString(2 * CHANGES),
            Integer.toString(ROUNDS),
            Integer.toString(CHANGES),
            lab.directory().toString());
    List<String> command = ChildJvm.command(EndpointChanges.class, List.of(), arguments);
    String out = node.host().exec(command.toArray(String[]::new)).orFail().out();
    System.out.print(out);
    assertThat(out).contains("verified services=" + services + " wrong=[]");
    List<Map<String, Double>> rounds = new ArrayList<>();
    out.lines()
        .filter(line -> line.startsWith("changes "))
        .forEach(
            line ->
                rounds.add(
                    FIGURE
                        .matcher(line)
                        .results()
                        .collect(
                            Collectors.toMap(m -> m.group(1), m -> Double.valueOf(m.group(2))))));
    assertThat(rounds).hasSize(ROUNDS);
    return rounds;
  }

  private static double least(List<Map<String, Double>> rounds, String figure) {
    return rounds.stream()
        .mapToDouble(round -> round.getOrDefault(figure, Double.NaN))
        .min()
        .orElseThrow();
  }

  @Test
  void anEndpointChangeTakesLessThanAMillisecondAndDoesNotDependOnTheSize() {
    List<Map<String, Double>> small = measure(1_000);
    List<Map<String, Double>> large = measure(10_000);
    double growth = least(large, "p50us") / least(small, "p50us");
    System.out.printf(
        "growth from 1,000 to 10,000 Services: p50 %.2f, p99 %.2f%n",
        growth, least(large, "p99us") / least(small, "p99us"));
    assertThat(least(large, "p99us")).as("p99 in microseconds").isLessThan(1000);
    assertThat(growth).as("growth of the median").isLessThan(3);
    assertThat(large)
        .as("ranges came back from quarantine without the owner waiting for it")
        .anySatisfy(
            round ->
                assertThat(round)
                    .containsEntry("awaited", 0.0)
                    .extractingByKey("reclaims")
                    .satisfies(count -> assertThat(count).isPositive()));
  }
}
