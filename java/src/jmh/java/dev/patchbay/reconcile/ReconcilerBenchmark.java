// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.reconcile;

import dev.patchbay.compile.Compiler;
import dev.patchbay.jmh.Cluster;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.ServiceState;
import dev.patchbay.table.Capacity;
import dev.patchbay.table.DesiredChange;
import dev.patchbay.table.DesiredState;
import dev.patchbay.testkit.FakeDataplaneStore;
import dev.patchbay.testkit.Rows;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * What is wanted, compared with maps in memory, planned and applied. Includes what the fake store
 * does to judge each write, which is little: {@code PublishBenchmark} has the real one.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class ReconcilerBenchmark {
  @Param({"1000", "10000"})
  public int services;

  private final List<DesiredChange> away = new ArrayList<>();
  private final List<DesiredChange> back = new ArrayList<>();
  private Cluster cluster;
  private DesiredState desired;
  private FakeDataplaneStore store;
  private Reconciler reconciler;

  @Setup
  public void applyAll() {
    cluster = new Cluster(services);
    desired = compiled(cluster.all());
    singly(cluster.all(), back);
    singly(cluster.allChanged(), away);
    store = empty();
    reconciler = Reconciler.adopt(store, store.load());
    reconciler.replaceAll(desired);
    require(reconciler.apply(), services);
  }

  private static DesiredState compiled(List<ServiceState> states) {
    Compiler compiler = new Compiler(NodeFacts.named("node-1"));
    compiler.update(states, Set.of());
    return compiler.desired();
  }

  private static void singly(List<ServiceState> states, List<DesiredChange> to) {
    for (ServiceState state : states) {
      to.add(Rows.upsert(compiled(List.of(state)).services().values().iterator().next()));
    }
  }

  private FakeDataplaneStore empty() {
    return new FakeDataplaneStore(new Capacity(2 * services, services, 11 * services + 10));
  }

  private static ApplyReport require(ApplyReport report, int published) {
    if (!report.succeeded() || report.wordsPublished() != published) {
      throw new AssertionError(report + " " + report.failures());
    }
    return report;
  }

  /** The first start: nothing is in the maps. */
  @Benchmark
  public ApplyReport allIntoEmptyMaps() {
    FakeDataplaneStore fresh = empty();
    Reconciler first = Reconciler.adopt(fresh, fresh.load());
    first.replaceAll(desired);
    return require(first.apply(), services);
  }

  /** A restart: everything is in the maps already. */
  @Benchmark
  public ApplyReport allInTheMapsAlready() {
    Reconciler restarted = Reconciler.adopt(store, store.load());
    restarted.replaceAll(desired);
    return require(restarted.apply(), 0);
  }

  @Benchmark
  public ApplyReport oneEndpointChanged() {
    int which = cluster.next();
    reconciler.change((cluster.isAway() ? away : back).get(which));
    ApplyReport report = require(reconciler.apply(), 1);
    OptionalLong mark = reconciler.quarantineMark();
    if (mark.isPresent()) {
      store.finishGrace(store.beginGrace());
      reconciler.reclaimed(mark.getAsLong());
    }
    return report;
  }
}
