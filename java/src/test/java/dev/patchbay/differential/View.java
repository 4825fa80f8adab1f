// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.differential;

/** Who connects. */
enum View {
  /** A Pod on the node. */
  POD,
  /** A process of the node itself. */
  NODE
}
