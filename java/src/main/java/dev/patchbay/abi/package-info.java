// SPDX-License-Identifier: Apache-2.0
/** Rows to bytes and back, over the layouts generated from {@code bpf/include/abi.h}. */
@NullMarked
package dev.patchbay.abi;

import org.jspecify.annotations.NullMarked;
