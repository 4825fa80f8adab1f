// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.metrics;

import dev.patchbay.kernel.Dataplane;
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
  private final ReentrantLock lock = new ReentrantLock();
  private @Nullable Dataplane dataplane;
  private @Nullable Exposition exposition;

  /**
   * Without a dataplane.
   *
   * @param statistics what the agent counts
   * @param source how the source does; asked by each scrape
   */
  public Metrics(AgentStatistics statistics, Supplier<SourceFigures> source) {
    this.statistics = statistics;
    this.source = source;
  }

  /**
   * A text in one of Prometheus' formats.
   *
   * @param contentType its media type
   * @param text all of it
   */
  public record Page(String contentType, String text) {}

  /** From now on scrapes ask this dataplane too; null: none, and no scrape uses the last one. */
  public void dataplane(@Nullable Dataplane current) {
    lock.lock();
    try {
      dataplane = current;
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
      return exposition().all(accept, dataplane);
    } finally {
      lock.unlock();
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
      known = new Exposition(statistics, source);
      exposition = known;
    }
    return known;
  }
}
