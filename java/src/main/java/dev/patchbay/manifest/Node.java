// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

/** A node of a document, whether it was written in YAML or in JSON. Immutable. */
sealed interface Node permits Scalar, Sequence, Mapping {
  /** The line it begins on in the file, from 1; 0 if lines were not recorded. */
  int line();

  /** What it is, with an article, for messages: {@code a mapping}. */
  String what();
}
