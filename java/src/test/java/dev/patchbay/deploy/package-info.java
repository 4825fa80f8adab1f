// SPDX-License-Identifier: Apache-2.0
/**
 * What ships beside the programs: manifests for a cluster, the container recipe, their documents.
 */
@NullMarked
package dev.patchbay.deploy;

import org.jspecify.annotations.NullMarked;
