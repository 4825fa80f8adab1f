// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.compile;

import dev.patchbay.jmh.Cluster;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.table.DesiredChange;
import dev.patchbay.table.DesiredState;
import java.util.List;
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

/** All Services with ten endpoints each, from scratch, and one of them after a change. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class CompilerBenchmark {
  private static final NodeFacts NODE = NodeFacts.named("node-1");

  @Param({"1000", "10000"})
  public int services;

  private Cluster cluster;
  private Compiler compiler;

  @Setup
  public void compileAll() {
    cluster = new Cluster(services);
    compiler = new Compiler(NODE);
    compiler.update(cluster.all(), Set.of());
  }

  @Benchmark
  public DesiredState all() {
    Compiler fresh = new Compiler(NODE);
    fresh.update(cluster.all(), Set.of());
    return fresh.desired();
  }

  @Benchmark
  public DesiredChange oneEndpointChanged() {
    DesiredChange change = compiler.update(List.of(cluster.nextState()), Set.of());
    if (change.upserted().size() != 1) {
      throw new AssertionError(change);
    }
    return change;
  }
}
