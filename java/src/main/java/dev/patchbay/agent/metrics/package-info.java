// SPDX-License-Identifier: Apache-2.0
/**
 * What the agent tells Prometheus. What happens is counted in {@link
 * dev.patchbay.agent.metrics.AgentStatistics}, from the first moment on and without the metrics
 * library; that is loaded by the first scrape, which asks everybody else for what they know.
 */
@NullMarked
package dev.patchbay.agent.metrics;

import org.jspecify.annotations.NullMarked;
