// SPDX-License-Identifier: Apache-2.0
/** Ten thousand Services: what a change costs, and what a start does. */
@NullMarked
package dev.patchbay.scale;

import org.jspecify.annotations.NullMarked;
