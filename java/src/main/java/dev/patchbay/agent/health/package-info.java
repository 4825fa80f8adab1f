// SPDX-License-Identifier: Apache-2.0
/**
 * Whether the dataplane does what it should, found out by measuring; and repair where it does not.
 */
@NullMarked
package dev.patchbay.agent.health;

import org.jspecify.annotations.NullMarked;
