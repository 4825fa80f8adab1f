// SPDX-License-Identifier: Apache-2.0
/** Readers of configuration written for others. They know files and settings, no command line. */
@NullMarked
package dev.patchbay.agent.config;

import org.jspecify.annotations.NullMarked;
