// SPDX-License-Identifier: Apache-2.0
@NullMarked
package dev.patchbay.manifest;

import org.jspecify.annotations.NullMarked;
