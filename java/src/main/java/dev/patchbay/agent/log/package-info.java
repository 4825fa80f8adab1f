// SPDX-License-Identifier: Apache-2.0
/** Where the lines of the log go, and what they look like: the provider behind SLF4J. */
@NullMarked
package dev.patchbay.agent.log;

import org.jspecify.annotations.NullMarked;
