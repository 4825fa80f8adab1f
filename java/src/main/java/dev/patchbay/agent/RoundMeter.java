// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import dev.patchbay.agent.jfr.ApplyEvent;
import dev.patchbay.agent.jfr.CompileEvent;
import dev.patchbay.agent.metrics.AgentStatistics;
import dev.patchbay.agent.metrics.Round;
import dev.patchbay.compile.NoLocalEndpoints;
import dev.patchbay.compile.Rejection;
import dev.patchbay.model.ClusterSnapshot;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Problem;
import dev.patchbay.model.ServiceState;
import dev.patchbay.model.SourceChanges;
import dev.patchbay.reconcile.ApplyReport;
import dev.patchbay.reconcile.Refusal;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;
import jdk.jfr.FlightRecorder;
import org.jspecify.annotations.Nullable;

/**
 * Measures what the owner does, for metrics and for the flight recorder. Confined to the owner's
 * thread.
 */
final class RoundMeter {
  private final AgentStatistics statistics;
  private final Supplier<ClusterSnapshot> cluster;
  private final Map<ObjectKey, NoLocalEndpoints> noLocal = new HashMap<>();
  private NoLocalEndpoints noLocalInAll = NoLocalEndpoints.NONE;
  private SourceChanges changes = SourceChanges.NONE;
  private long begun;
  private long ended;
  private long compileNanos;
  private boolean full;

  /**
   * Nothing was done yet.
   *
   * @param statistics where it is counted
   * @param cluster makes a copy of what the source has told; any thread
   */
  RoundMeter(AgentStatistics statistics, Supplier<ClusterSnapshot> cluster) {
    this.statistics = statistics;
    this.cluster = cluster;
  }

  /** A round begins, which stands for these changes. */
  void begin(SourceChanges stands) {
    begun = System.nanoTime();
    compileNanos = 0;
    full = false;
    changes = stands;
  }

  /**
   * Compiles.
   *
   * @param all whether all Services are looked at
   * @param services how many changed
   * @param work what compiles
   * @param rows how many rows differ by its result
   */
  <T> T compile(boolean all, int services, Supplier<T> work, ToIntFunction<T> rows) {
    full |= all;
    CompileEvent event = FlightRecorder.isInitialized() ? CompileEvent.begun(all) : null;
    long start = System.nanoTime();
    T result = work.get();
    compileNanos += System.nanoTime() - start;
    if (event != null) {
      event.done(services, rows.applyAsInt(result));
    }
    return result;
  }

  /** Applies. */
  ApplyReport apply(Supplier<ApplyReport> work) {
    ApplyEvent event = FlightRecorder.isInitialized() ? ApplyEvent.begun() : null;
    ApplyReport report = work.get();
    ended = System.nanoTime();
    if (event != null) {
      event.done(report);
    }
    return report;
  }

  /** The round has ended with {@link #apply}; this is what became of it. */
  void end(
      ApplyReport report,
      List<Problem> problems,
      List<Rejection> rejections,
      Collection<Refusal> refusals) {
    statistics.ended(
        new Round(
            full,
            compileNanos,
            ended - begun,
            report,
            changes,
            problems,
            rejections,
            refusals,
            noLocalInAll,
            cluster));
  }

  /** Counts a Service, or no longer, if there is none by the key. */
  void service(ObjectKey key, @Nullable ServiceState state, NodeFacts node) {
    NoLocalEndpoints now = state == null ? NoLocalEndpoints.NONE : NoLocalEndpoints.of(state, node);
    NoLocalEndpoints before =
        now.equals(NoLocalEndpoints.NONE) ? noLocal.remove(key) : noLocal.put(key, now);
    noLocalInAll = noLocalInAll.plus(now).minus(before == null ? NoLocalEndpoints.NONE : before);
  }
}
