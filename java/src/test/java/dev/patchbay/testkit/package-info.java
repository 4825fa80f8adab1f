// SPDX-License-Identifier: Apache-2.0
/** Fakes and generators that tests of several packages share. */
@NullMarked
package dev.patchbay.testkit;

import org.jspecify.annotations.NullMarked;
