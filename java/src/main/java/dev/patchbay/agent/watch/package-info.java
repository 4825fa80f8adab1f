// SPDX-License-Identifier: Apache-2.0
/** Connections as they happen: what the programs tell, put together and given names. */
@NullMarked
package dev.patchbay.agent.watch;

import org.jspecify.annotations.NullMarked;
