// SPDX-License-Identifier: Apache-2.0
/** What people do with Services in a cluster, with kubectl and ordinary clients. */
@NullMarked
package dev.patchbay.scenario;

import org.jspecify.annotations.NullMarked;
