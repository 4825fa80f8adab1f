// SPDX-License-Identifier: Apache-2.0
/** The difference between desired and observed rows, as a plan, and its application to a store. */
@NullMarked
package dev.patchbay.reconcile;

import org.jspecify.annotations.NullMarked;
