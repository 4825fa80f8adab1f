// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import dev.patchbay.agent.metrics.SourceFigures;
import dev.patchbay.model.SourceUpdate;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Where Services come from: manifests or a cluster.
 *
 * <p>{@link #load} and {@link #watch} are called once each, in this order, by one thread; the rest
 * by any.
 */
interface Source extends AutoCloseable {
  /**
   * Waits until the source has told everything.
   *
   * @return all of it; {@code removed} is empty
   * @throws UserError if that cannot be had, and waiting longer would not help
   */
  SourceUpdate load() throws UserError, InterruptedException;

  /** Follows changes on a thread of its own, from the state that {@link #load} found. */
  void watch(Consumer<SourceUpdate> to);

  /** What it is, for people: a directory or a cluster. */
  String name();

  /** What the last load consisted of, as {@code key=value} for the ready line. */
  Map.Entry<String, Object> extent();

  /** Why what it last told may be out of date; empty if all is well. */
  String trouble();

  /** How it does, for metrics. */
  default SourceFigures figures() {
    return new SourceFigures(trouble().isEmpty(), List.of(), null);
  }

  /** Where to tell people what became of their objects. */
  Notices notices();

  @Override
  void close();
}
