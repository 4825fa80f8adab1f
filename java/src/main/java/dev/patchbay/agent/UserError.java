// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import org.jspecify.annotations.Nullable;

/**
 * A failure that the person at the command line can understand and mend. It is printed as one line,
 * {@code patchbay: what failed: why; how to fix it}, and ends the process with exit code 1.
 */
public final class UserError extends Exception {
  private static final long serialVersionUID = 1L;

  /**
   * @param what what could not be done, with the object's name
   * @param why the cause; null, as from an exception without a message, if it is not known
   * @param fix what to do about it; empty if there is nothing sensible to say
   */
  public UserError(String what, @Nullable String why, String fix) {
    String cause = why == null ? "the reason is not known" : why;
    super(what + ": " + cause + (fix.isEmpty() ? "" : "; " + fix));
  }
}
