// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.model;

import java.util.List;

/**
 * What a source says, relative to what it said before; the first one is all there is.
 *
 * <p>Problems and nodes are complete each time, and the same list object as before if they are the
 * same, so that a change of one Service costs nothing in proportion to the cluster. For the same
 * reason no list is copied: the source hands over lists that nobody changes any more.
 *
 * @param upserted the Services that are new or whose state differs; each once, in no order
 * @param removed the Services that are gone; none of them in {@code upserted}
 * @param problems all that is wrong with the input now, sorted
 * @param nodes all Nodes known now, ordered by name
 * @param changes how many changes of objects this stands for
 */
public record SourceUpdate(
    List<ServiceState> upserted,
    List<ObjectKey> removed,
    List<Problem> problems,
    List<NodeInfo> nodes,
    SourceChanges changes) {}
