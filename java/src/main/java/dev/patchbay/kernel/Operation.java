// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

/**
 * What was being done when the kernel answered.
 *
 * @param verb for example {@code pin}
 * @param object what it was done to, for example {@code map frontends}
 * @param parameters what else mattered; may be empty
 */
record Operation(String verb, String object, String parameters) {
  Operation(String verb, String object) {
    this(verb, object, "");
  }

  /** {@code pin map frontends (/sys/fs/bpf/patchbay/v1/maps/frontends)}. */
  @Override
  public String toString() {
    return verb + " " + object + (parameters.isEmpty() ? "" : " (" + parameters + ")");
  }
}
