// SPDX-License-Identifier: Apache-2.0
/** Pure readers over rows: dump, tracer, invariants. */
@NullMarked
package dev.patchbay.inspect;

import org.jspecify.annotations.NullMarked;
