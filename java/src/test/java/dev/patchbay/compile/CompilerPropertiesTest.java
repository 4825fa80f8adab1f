// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.compile;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.model.IpAddress;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.ServicePortKey;
import dev.patchbay.model.ServiceState;
import dev.patchbay.model.ServiceType;
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
import org.jspecify.annotations.Nullable;

class CompilerPropertiesTest {
  /**
   * A call of {@link Compiler#update}, then perhaps one of {@link Compiler#updateNode}.
   *
   * @param node null: as before
   */
  record Step(List<ServiceState> upserted, List<ObjectKey> removed, @Nullable NodeFacts node) {}

  @Provide
  Arbitrary<List<Step>> histories() {
    return Combinators.combine(
            ServiceArbitraries.services().list().ofMaxSize(4),
            ServiceArbitraries.keys().list().ofMaxSize(2),
            ServiceArbitraries.nodes().injectNull(0.6))
        .as(Step::new)
        .list()
        .ofMaxSize(8);
  }

  @Provide
  Arbitrary<List<ServiceState>> clusters() {
    return ServiceArbitraries.services().list().uniqueElements(ServiceState::key).ofMaxSize(6);
  }

  @Provide
  Arbitrary<NodeFacts> nodes() {
    return ServiceArbitraries.nodes();
  }

  @Property(tries = 500)
  void everyPrefixOfAHistoryEqualsCompilationFromScratch(
      @ForAll("histories") List<Step> history, @ForAll("nodes") NodeFacts first) {
    NodeFacts node = first;
    Compiler incremental = new Compiler(node);
    Map<ObjectKey, ServiceState> model = new TreeMap<>();
    Map<ServicePortKey, ServiceRow> followed = new HashMap<>();
    Map<FrontendKey, FrontendValue> wildcards = new HashMap<>(incremental.desired().wildcards());
    for (Step step : history) {
      step.removed.forEach(model::remove);
      step.upserted.forEach(state -> model.put(state.key(), state));
      follow(incremental.update(step.upserted, step.removed), followed, wildcards);
      if (step.node != null) {
        node = step.node;
        follow(incremental.updateNode(node), followed, wildcards);
      }

      Compiler scratch = new Compiler(node);
      scratch.update(model.values(), List.of());
      assertThat(incremental.desired()).isEqualTo(scratch.desired());
      assertThat(incremental.rejections()).isEqualTo(scratch.rejections()).isSorted();
      assertThat(new DesiredState(followed, wildcards)).isEqualTo(scratch.desired());
      assertThat(incremental.desired()).isEqualTo(oracle(model.values(), node));
      assertNoFrontendTwice(incremental.desired());
      assertNobodyTakesAClusterIp(incremental.desired(), model);
    }
  }

  @Property(tries = 500)
  void theOrderOfArrivalDoesNotMatter(
      @ForAll("clusters") List<ServiceState> cluster,
      @ForAll("nodes") NodeFacts node,
      @ForAll long seed) {
    Compiler atOnce = new Compiler(node);
    atOnce.update(cluster, List.of());
    List<ServiceState> shuffled = new ArrayList<>(cluster);
    Collections.shuffle(shuffled, new Random(seed));
    Compiler oneByOne = new Compiler(node);
    for (ServiceState state : shuffled) {
      oneByOne.update(List.of(state), List.of());
      assertNoFrontendTwice(oneByOne.desired());
    }
    assertThat(oneByOne.desired()).isEqualTo(atOnce.desired());
    assertThat(oneByOne.rejections()).isEqualTo(atOnce.rejections());
  }

  @Property(tries = 500)
  void whatChangesIsToldOnce(
      @ForAll("clusters") List<ServiceState> cluster, @ForAll("nodes") NodeFacts node) {
    Compiler compiler = new Compiler(node);
    DesiredState empty = compiler.desired();
    compiler.update(cluster, List.of());
    assertThat(compiler.update(cluster, List.of()).isEmpty()).isTrue();
    assertThat(compiler.updateNode(node).isEmpty()).isTrue();
    compiler.update(List.of(), cluster.stream().map(ServiceState::key).toList());
    assertThat(compiler.desired()).isEqualTo(empty);
    assertThat(compiler.rejections()).isEmpty();
  }

  @Property(tries = 500)
  void anotherNodeHasTheSameFrontends(
      @ForAll("clusters") List<ServiceState> cluster,
      @ForAll("nodes") NodeFacts node,
      @ForAll("nodes") NodeFacts other) {
    Compiler compiler = new Compiler(node);
    compiler.update(cluster, List.of());
    DesiredState before = compiler.desired();
    DesiredChange change = compiler.updateNode(other);
    assertThat(change.removed()).isEmpty();
    for (ServiceRow row : change.upserted()) {
      ServiceRow had = requireNonNull(before.services().get(row.key()));
      assertThat(row.frontends()).isEqualTo(had.frontends());
    }
    compiler.updateNode(node);
    assertThat(compiler.desired()).isEqualTo(before);
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

  private record Claim(long created, ServiceRow row, FrontendKey frontend) {}

  /** The rules of precedence in the plainest way: by age, first come, first served. */
  private static DesiredState oracle(Collection<ServiceState> cluster, NodeFacts node) {
    Map<FrontendKey, FrontendValue> wildcards = new HashMap<>();
    List<Claim> claims = new ArrayList<>();
    for (ServiceState state : cluster) {
      CompiledService compiled = ServiceCompiler.compile(state, node);
      compiled.refused().forEach(key -> wildcards.put(key, FrontendValue.REFUSE));
      for (ServiceRow row : compiled.rows()) {
        for (FrontendKey frontend : row.frontends()) {
          if (isFree(frontend, state, cluster)) {
            claims.add(new Claim(state.service().createdMillis(), row, frontend));
          }
        }
      }
    }
    for (IpAddress address : node.addresses()) {
      wildcards.put(FrontendKey.wildcard(address), FrontendValue.NODE_ADDRESS);
    }
    claims.sort(Comparator.comparingLong(Claim::created).thenComparing(claim -> claim.row.key()));
    Set<FrontendKey> taken = new HashSet<>();
    Map<ServiceRow, List<FrontendKey>> granted = new HashMap<>();
    for (Claim claim : claims) {
      if (taken.add(claim.frontend)) {
        granted.computeIfAbsent(claim.row, r -> new ArrayList<>()).add(claim.frontend);
      }
    }
    Map<ServicePortKey, ServiceRow> rows = new HashMap<>();
    granted.forEach(
        (row, frontends) ->
            rows.put(
                row.key(),
                new ServiceRow(
                    row.key(),
                    frontends.stream().sorted().toList(),
                    row.backends(),
                    row.settings())));
    return new DesiredState(rows, wildcards);
  }

  /** Whether no other Service has the address as its cluster IP, or this one has it too. */
  private static boolean isFree(
      FrontendKey frontend, ServiceState who, Collection<ServiceState> cluster) {
    boolean own = who.service().clusterIps().contains(frontend.address());
    return own
        || cluster.stream()
            .filter(s -> s.service().type() != ServiceType.EXTERNAL_NAME)
            .noneMatch(s -> s.service().clusterIps().contains(frontend.address()));
  }

  private static void assertNobodyTakesAClusterIp(
      DesiredState desired, Map<ObjectKey, ServiceState> model) {
    for (ServiceRow row : desired.services().values()) {
      for (FrontendKey frontend : row.frontends()) {
        assertThat(isFree(frontend, requireNonNull(model.get(row.key().service())), model.values()))
            .as("%s", row)
            .isTrue();
      }
    }
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
