// SPDX-License-Identifier: Apache-2.0
/** The rows of the BPF maps as typed values. No bytes, no indexes that anybody chose. */
@NullMarked
package dev.patchbay.table;

import org.jspecify.annotations.NullMarked;
