// SPDX-License-Identifier: Apache-2.0
/** Comparison with a real kube-proxy on the same API server. */
@NullMarked
package dev.patchbay.differential;

import org.jspecify.annotations.NullMarked;
