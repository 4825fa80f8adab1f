// SPDX-License-Identifier: Apache-2.0
/** What a person does with Patchbay, with real programs, sockets and agents on the real kernel. */
@NullMarked
package dev.patchbay.e2e;

import org.jspecify.annotations.NullMarked;
