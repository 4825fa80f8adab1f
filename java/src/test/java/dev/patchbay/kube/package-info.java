// SPDX-License-Identifier: Apache-2.0
@NullMarked
package dev.patchbay.kube;

import org.jspecify.annotations.NullMarked;
