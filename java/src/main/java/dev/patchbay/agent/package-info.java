// SPDX-License-Identifier: Apache-2.0
/** Wiring, life cycle and the command line. */
@NullMarked
package dev.patchbay.agent;

import org.jspecify.annotations.NullMarked;
