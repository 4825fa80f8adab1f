// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.reconcile;

/** A store refused an operation. */
public class StoreException extends Exception {
  private static final long serialVersionUID = 1L;

  /** What the refusal means, which is what callers decide by. */
  public enum Reason {
    /** The map holds as many entries as it can. */
    FULL,
    /** The process lacks a privilege. */
    DENIED,
    /** Anything else; repeating the call may help. */
    OTHER
  }

  private final Reason reason;

  public StoreException(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  public Reason reason() {
    return reason;
  }
}
