// SPDX-License-Identifier: Apache-2.0
/** Runs the benchmarks of the other packages, as the agent runs, and writes their results down. */
@NullMarked
package dev.patchbay.jmh;

import org.jspecify.annotations.NullMarked;
