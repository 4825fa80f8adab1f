// SPDX-License-Identifier: Apache-2.0
/** Pure: Services and endpoints in, desired rows and the reasons for them out. */
@NullMarked
package dev.patchbay.compile;

import org.jspecify.annotations.NullMarked;
