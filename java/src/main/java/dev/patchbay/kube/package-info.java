// SPDX-License-Identifier: Apache-2.0
/**
 * The cluster as a source: lists and watches Services, EndpointSlices and Nodes of an API server.
 */
@NullMarked
package dev.patchbay.kube;

import org.jspecify.annotations.NullMarked;
