// SPDX-License-Identifier: Apache-2.0
/** The adapter to Linux: libbpf, maps, programs, links and probes. */
@NullMarked
package dev.patchbay.kernel;

import org.jspecify.annotations.NullMarked;
