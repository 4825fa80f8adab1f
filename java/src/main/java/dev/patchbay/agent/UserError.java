// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import org.jspecify.annotations.Nullable;

/**
 * A failure that the person at the command line can understand and mend. It is printed as one line,
 * {@code patchbay: what failed: why; how to fix it}, and ends the process with exit code 1, or 2 if
 * the command line itself is wrong.
 */
public final class UserError extends Exception {
  private static final long serialVersionUID = 1L;
  private static final int FAILED = 1;
  private static final int WRONG_USAGE = 2;

  private final int exitCode;

  /**
   * @param what what could not be done, with the object's name
   * @param why the cause; null, as from an exception without a message, if it is not known
   * @param fix what to do about it; empty if there is nothing sensible to say
   */
  public UserError(String what, @Nullable String why, String fix) {
    this(what, why, fix, FAILED);
  }

  private UserError(String what, @Nullable String why, String fix, int exitCode) {
    String cause = why == null ? "the reason is not known" : why;
    super(what + ": " + cause + (fix.isEmpty() ? "" : "; " + fix));
    this.exitCode = exitCode;
  }

  /** The same for a value on the command line that means nothing. */
  public static UserError usage(String what, @Nullable String why, String fix) {
    return new UserError(what, why, fix, WRONG_USAGE);
  }

  /** 1: failed; 2: wrong usage. */
  public int exitCode() {
    return exitCode;
  }
}
