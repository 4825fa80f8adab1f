// SPDX-License-Identifier: Apache-2.0
/**
 * A laboratory on one machine: nodes, Pods, clients and agents out of network namespaces and
 * cgroups, without a route to anywhere else.
 */
@NullMarked
package dev.patchbay.lab;

import org.jspecify.annotations.NullMarked;
