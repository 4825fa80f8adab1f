// SPDX-License-Identifier: Apache-2.0
/** Manifests in, meaning of the maps out, compared with what was written down. */
@NullMarked
package dev.patchbay.golden;

import org.jspecify.annotations.NullMarked;
