// SPDX-License-Identifier: Apache-2.0
/** The command line: one class a verb, and what they print. */
@NullMarked
package dev.patchbay.agent.cli;

import org.jspecify.annotations.NullMarked;
