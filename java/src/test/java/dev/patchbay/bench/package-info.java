// SPDX-License-Identifier: Apache-2.0
/**
 * Benchmarks beside a direct connection and beside kube-proxy: {@code make bench}. What is measured
 * ends as {@link dev.patchbay.bench.Row}s and {@link dev.patchbay.bench.Chart}s, from which the
 * report is made.
 */
@NullMarked
package dev.patchbay.bench;

import org.jspecify.annotations.NullMarked;
