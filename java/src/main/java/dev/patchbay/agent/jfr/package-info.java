// SPDX-License-Identifier: Apache-2.0
/** Events for the JVM's flight recorder. Loaded only where one records. */
@NullMarked
package dev.patchbay.agent.jfr;

import org.jspecify.annotations.NullMarked;
