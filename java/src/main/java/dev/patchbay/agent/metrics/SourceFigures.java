// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.metrics;

import dev.patchbay.kube.ApiRequests;
import dev.patchbay.kube.ClusterHealth;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How the source of Services does.
 *
 * @param connected whether it can be read
 * @param resources what is read from a cluster; empty if it is none
 * @param requests what was asked of API servers; null if there are none
 */
public record SourceFigures(
    boolean connected, List<ClusterHealth.Resource> resources, @Nullable ApiRequests requests) {}
