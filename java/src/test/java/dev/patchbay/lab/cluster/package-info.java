// SPDX-License-Identifier: Apache-2.0
/**
 * A Kubernetes cluster in a lab: a real API server with its store, controllers and scheduler, Nodes
 * and Pods that a stand-in for the kubelet plays with real processes, and kube-proxy to compare
 * with.
 */
@NullMarked
package dev.patchbay.lab.cluster;

import org.jspecify.annotations.NullMarked;
