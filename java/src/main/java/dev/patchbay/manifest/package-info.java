// SPDX-License-Identifier: Apache-2.0
/**
 * The standalone source: a directory of manifests and the control plane that a cluster would have.
 */
@NullMarked
package dev.patchbay.manifest;

import org.jspecify.annotations.NullMarked;
