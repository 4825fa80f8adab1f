// SPDX-License-Identifier: Apache-2.0
/** The file through which the agent tells reading commands what it knows. */
@NullMarked
package dev.patchbay.agent.snapshot;

import org.jspecify.annotations.NullMarked;
