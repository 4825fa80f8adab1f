// SPDX-License-Identifier: Apache-2.0
/** What it costs to program the kernel: time, processor time and memory, beside kube-proxy. */
@NullMarked
package dev.patchbay.bench.programming;

import org.jspecify.annotations.NullMarked;
