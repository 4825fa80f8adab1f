// SPDX-License-Identifier: Apache-2.0
/** What this kernel can do, found by trying it. Never by its version. */
@NullMarked
package dev.patchbay.kernel.probe;

import org.jspecify.annotations.NullMarked;
