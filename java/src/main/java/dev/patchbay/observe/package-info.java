// SPDX-License-Identifier: Apache-2.0
/** What comes back from the dataplane: counters and events, and their ports. */
@NullMarked
package dev.patchbay.observe;

import org.jspecify.annotations.NullMarked;
