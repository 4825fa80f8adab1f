// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import dev.patchbay.model.ObjectKey;

/**
 * An Event about a Service, for people.
 *
 * @param service which Service
 * @param warning type {@code Warning}, else {@code Normal}
 * @param reason one word in CamelCase, for machines, at most 128 characters
 * @param note a sentence; cut after 1024 bytes
 * @param ofNode whether it concerns one node: then each node tells it, else one of them does
 */
public record KubernetesEvent(
    ObjectKey service, boolean warning, String reason, String note, boolean ofNode) {}
