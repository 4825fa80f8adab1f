// SPDX-License-Identifier: Apache-2.0
/** Immutable facts about Services, endpoints and this node, as the sources deliver them. */
@NullMarked
package dev.patchbay.model;

import org.jspecify.annotations.NullMarked;
