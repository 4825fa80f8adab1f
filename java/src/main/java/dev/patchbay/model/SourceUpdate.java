// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.model;

import java.util.List;

/**
 * What a source of Services tells: what changed since it last told something, and the whole of what
 * is small. The first one is complete.
 *
 * @param upserted Services that are new or differ, each once
 * @param removed Services that are gone; none of them is in {@code upserted}
 * @param problems all that is wrong with the input now, sorted
 * @param nodes all Nodes known now, sorted by name
 */
public record SourceUpdate(
    List<ServiceState> upserted,
    List<ObjectKey> removed,
    List<Problem> problems,
    List<NodeInfo> nodes) {
  public SourceUpdate {
    upserted = List.copyOf(upserted);
    removed = List.copyOf(removed);
    problems = List.copyOf(problems);
    nodes = List.copyOf(nodes);
  }
}
