// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.metrics;

import dev.patchbay.agent.Heap;
import dev.patchbay.kernel.Dataplane;
import dev.patchbay.observe.HealthStats;
import dev.patchbay.observe.StaleSocketCounters;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Answers scrapes, one at a time, on the threads that ask. The metrics library is loaded by the
 * first of them.
 *
 * <p>Thread-safe.
 */
public final class Metrics {
  private final AgentStatistics statistics;
  private final Supplier<SourceFigures> source;
  private final SeriesLimits limits;
  private final ReentrantLock lock = new ReentrantLock();
  private @Nullable Dataplane dataplane;
  private @Nullable HealthStats health;
  private @Nullable StaleSocketCounters sockets;
  private @Nullable Exposition exposition;

  /**
   * Without a dataplane.
   *
   * @param statistics what the agent counts
   * @param source how the source does; asked by each scrape
   * @param limits of what is told
   */
  public Metrics(AgentStatistics statistics, Supplier<SourceFigures> source, SeriesLimits limits) {
    this.statistics = statistics;
    this.source = source;
    this.limits = limits;
  }

  /**
   * A text in one of Prometheus' formats.
   *
   * @param contentType its media type
   * @param text all of it
   */
  public record Page(String contentType, String text) {}

  /** As long as this is open, scrapes ask others too; closing waits for one that is under way. */
  @FunctionalInterface
  public interface Observed extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * From now on scrapes ask these too.
   *
   * @param current what the programs count
   * @param checks what was found out about it
   * @return to be closed before they are
   */
  public Observed observe(Dataplane current, HealthStats checks) {
    set(current, checks);
    return () -> set(null, null);
  }

  /** From now on scrapes tell these too. */
  public void staleSockets(StaleSocketCounters counters) {
    lock.lock();
    try {
      sockets = counters;
    } finally {
      lock.unlock();
    }
  }

  private void set(@Nullable Dataplane current, @Nullable HealthStats checks) {
    lock.lock();
    try {
      dataplane = current;
      health = checks;
    } finally {
      lock.unlock();
    }
  }

  /**
   * All metrics.
   *
   * @param accept the header of that name: OpenMetrics if it names that, else Prometheus' own text
   * @throws IllegalStateException if the kernel refuses to be read
   */
  public Page all(String accept) {
    lock.lock();
    try {
      return exposition().all(accept, dataplane, health, sockets);
    } finally {
      lock.unlock();
      Heap.trim(); // scrapes come whether or not anything changes
    }
  }

  /** The results of checks of health, for service level indicators, as in {@link #all}. */
  public Page indicators(String accept) {
    lock.lock();
    try {
      return exposition().indicators(accept);
    } finally {
      lock.unlock();
    }
  }

  private Exposition exposition() {
    Exposition known = exposition;
    if (known == null) {
      known = new Exposition(statistics, source, limits);
      exposition = known;
    }
    return known;
  }
}
