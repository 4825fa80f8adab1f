// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import dev.patchbay.model.SourceUpdate;

/** Somebody who wants to know what the cluster says, each time that changes. */
@FunctionalInterface
public interface ClusterListener {
  /**
   * The cluster says something else now. Called on the thread {@code patchbay-cluster}, one call at
   * a time, in order; each is relative to the one before (the first one: to {@link
   * ClusterSource#load()}), so none may be dropped. Changes that arrive during a call are told
   * together by the next one. An exception is logged, and what it was told is not told again.
   */
  void changed(SourceUpdate update);
}
