// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.compile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.ServicePortKey;
import dev.patchbay.model.ServiceState;
import dev.patchbay.table.DesiredChange;
import dev.patchbay.table.DesiredState;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.FrontendValue;
import dev.patchbay.table.ServiceRow;
import dev.patchbay.testkit.ServiceArbitraries;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class CompilerPropertiesTest {
  private static final NodeFacts NODE = NodeFacts.named("node");

  /** One call of {@link Compiler#update}. */
  record Step(List<ServiceState> upserted, List<ObjectKey> removed) {}

  @Provide
  Arbitrary<List<Step>> histories() {
    return Combinators.combine(
            ServiceArbitraries.services().list().ofMaxSize(4),
            ServiceArbitraries.keys().list().ofMaxSize(2))
        .as(Step::new)
        .list()
        .ofMaxSize(8);
  }

  @Provide
  Arbitrary<List<ServiceState>> clusters() {
    return ServiceArbitraries.services().list().uniqueElements(ServiceState::key).ofMaxSize(6);
  }

  @Property(tries = 500)
  void everyPrefixOfAHistoryEqualsCompilationFromScratch(@ForAll("histories") List<Step> history) {
    Compiler incremental = new Compiler(NODE);
    Map<ObjectKey, ServiceState> model = new TreeMap<>();
    Map<ServicePortKey, ServiceRow> followed = new HashMap<>();
    Map<FrontendKey, FrontendValue> wildcards = new HashMap<>();
    for (Step step : history) {
      step.removed.forEach(model::remove);
      step.upserted.forEach(state -> model.put(state.key(), state));
      DesiredChange change = incremental.update(step.upserted, step.removed);
      follow(change, followed, wildcards);

      Compiler scratch = new Compiler(NODE);
      scratch.update(model.values(), List.of());
      assertThat(incremental.desired()).isEqualTo(scratch.desired());
      assertThat(incremental.rejections()).isEqualTo(scratch.rejections()).isSorted();
      assertThat(new DesiredState(followed, wildcards)).isEqualTo(scratch.desired());
      assertThat(incremental.desired()).isEqualTo(oracle(model.values()));
      assertNoFrontendTwice(incremental.desired());
    }
  }

  @Property(tries = 500)
  void theOrderOfArrivalDoesNotMatter(
      @ForAll("clusters") List<ServiceState> cluster, @ForAll long seed) {
    Compiler atOnce = new Compiler(NODE);
    atOnce.update(cluster, List.of());
    List<ServiceState> shuffled = new ArrayList<>(cluster);
    Collections.shuffle(shuffled, new Random(seed));
    Compiler oneByOne = new Compiler(NODE);
    for (ServiceState state : shuffled) {
      oneByOne.update(List.of(state), List.of());
      assertNoFrontendTwice(oneByOne.desired());
    }
    assertThat(oneByOne.desired()).isEqualTo(atOnce.desired());
    assertThat(oneByOne.rejections()).isEqualTo(atOnce.rejections());
  }

  @Property(tries = 500)
  void whatChangesIsToldOnce(@ForAll("clusters") List<ServiceState> cluster) {
    Compiler compiler = new Compiler(NODE);
    compiler.update(cluster, List.of());
    assertThat(compiler.update(cluster, List.of()).isEmpty()).isTrue();
    compiler.update(List.of(), cluster.stream().map(ServiceState::key).toList());
    assertThat(compiler.desired()).isEqualTo(new DesiredState(Map.of(), Map.of()));
    assertThat(compiler.rejections()).isEmpty();
  }

  /** Applies a change, and checks that each part of it really is one. */
  private static void follow(
      DesiredChange change,
      Map<ServicePortKey, ServiceRow> rows,
      Map<FrontendKey, FrontendValue> wildcards) {
    for (ServiceRow row : change.upserted()) {
      assertThat(change.removed()).doesNotContain(row.key());
      assertThat(rows.put(row.key(), row)).isNotEqualTo(row);
    }
    change.removed().forEach(key -> assertThat(rows.remove(key)).isNotNull());
    change
        .wildcards()
        .forEach((key, value) -> assertThat(wildcards.put(key, value)).isNotEqualTo(value));
    change.unwanted().forEach(key -> assertThat(wildcards.remove(key)).isNotNull());
    assertThat(change.upserted()).isSortedAccordingTo(Comparator.comparing(ServiceRow::key));
  }

  /** The rule of precedence in the plainest way: by age, first come, first served. */
  private static DesiredState oracle(Collection<ServiceState> cluster) {
    List<ServiceState> byAge = new ArrayList<>(cluster);
    byAge.sort(
        Comparator.<ServiceState>comparingLong(s -> s.service().createdMillis())
            .thenComparing(ServiceState::key));
    Set<FrontendKey> taken = new HashSet<>();
    Map<FrontendKey, FrontendValue> wildcards = new HashMap<>();
    Map<ServicePortKey, ServiceRow> rows = new HashMap<>();
    for (ServiceState state : byAge) {
      CompiledService compiled = ServiceCompiler.compile(state, NODE);
      compiled.refused().forEach(key -> wildcards.put(key, FrontendValue.REFUSE));
      for (ServiceRow row : compiled.rows()) {
        List<FrontendKey> free = row.frontends().stream().filter(taken::add).toList();
        if (!free.isEmpty()) {
          rows.put(row.key(), new ServiceRow(row.key(), free, row.backends(), row.settings()));
        }
      }
    }
    return new DesiredState(rows, wildcards);
  }

  private static void assertNoFrontendTwice(DesiredState desired) {
    Set<FrontendKey> seen = new HashSet<>();
    desired
        .services()
        .values()
        .forEach(
            row -> {
              assertThat(row.frontends()).isNotEmpty().isSorted();
              row.frontends().forEach(f -> assertThat(seen.add(f)).as("%s", f).isTrue());
            });
  }
}
