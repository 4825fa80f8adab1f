// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.compile.Compiler;
import dev.patchbay.jmh.Cluster;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.ServiceState;
import dev.patchbay.reconcile.ApplyReport;
import dev.patchbay.reconcile.Reconciler;
import dev.patchbay.scale.World;
import dev.patchbay.table.Capacity;
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
import org.openjdk.jmh.annotations.TearDown;

/**
 * A change all the way from a Service of the model to the maps of the kernel: compiled, reconciled,
 * stored. Programs run nowhere, so what is no longer used may be used again at once.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class ChangeBenchmark {
  @Param({"1000", "10000"})
  public int services;

  private Cluster cluster;
  private KernelMaps maps;
  private Compiler compiler;
  private Reconciler reconciler;
  private ServiceState another;

  @Setup
  public void applyAll() throws Exception {
    cluster = new Cluster(services);
    another = World.service(services, 0);
    maps = new KernelMaps(new Capacity(4 * services, 2 * services, 2 * World.ENDPOINTS * services));
    compiler = new Compiler(NodeFacts.named("node-1"));
    reconciler = Reconciler.adopt(maps.store(), maps.store().load());
    compiler.update(cluster.all(), Set.of());
    reconciler.replaceAll(compiler.desired());
    require(reconciler.apply(), services);
  }

  @TearDown
  public void close() {
    maps.close();
  }

  private ApplyReport require(ApplyReport report, int published) {
    if (!report.succeeded() || report.wordsPublished() != published) {
      throw new AssertionError(report + " " + report.failures());
    }
    OptionalLong mark = reconciler.quarantineMark();
    if (mark.isPresent()) {
      reconciler.reclaimed(mark.getAsLong());
    }
    return report;
  }

  @Benchmark
  public ApplyReport oneEndpointChanged() {
    reconciler.change(compiler.update(List.of(cluster.nextState()), Set.of()));
    return require(reconciler.apply(), 1);
  }

  @Benchmark
  public ApplyReport oneServiceAddedAndRemoved() {
    reconciler.change(compiler.update(List.of(another), Set.of()));
    require(reconciler.apply(), 1);
    reconciler.change(compiler.update(List.of(), Set.of(another.key())));
    return require(reconciler.apply(), 0);
  }
}
