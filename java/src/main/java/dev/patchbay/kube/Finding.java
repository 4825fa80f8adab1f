// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import dev.patchbay.model.Problem;
import dev.patchbay.model.Problem.Severity;

/**
 * Something odd in an object of the API, before it is known whom to tell.
 *
 * @param severity what it means for the part named
 * @param field path of the field, from the root of the object
 * @param reason one sentence without a full stop, with the offending value
 */
record Finding(Severity severity, String field, String reason) {
  /**
   * @param object kind and key of the object that is told
   * @param prefix what to put before the field, for a finding in another object
   */
  Problem of(String object, String prefix) {
    return new Problem(severity, "", 0, object, prefix + field, reason);
  }
}
