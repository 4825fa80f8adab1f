// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import java.io.IOException;
import java.io.Serial;
import java.time.Duration;

/** The API server answered, with an error: an HTTP status, or an {@code ERROR} in a watch. */
final class ApiException extends IOException {
  @Serial private static final long serialVersionUID = 1;

  /** {@code details.causes[].reason} when the server does not know the asked version yet. */
  static final String TOO_LARGE = "ResourceVersionTooLarge";

  private final int code;
  private final String cause;
  private final Duration retryAfter;

  /**
   * @param code the HTTP status, also for an {@code ERROR} in a watch
   * @param message what the server says
   * @param cause {@code details.causes[0].reason}; empty if absent
   * @param retryAfter how long the server asks to wait; zero if it does not
   */
  ApiException(int code, String message, String cause, Duration retryAfter) {
    super("HTTP " + code + (message.isEmpty() ? "" : ": " + message));
    this.code = code;
    this.cause = cause;
    this.retryAfter = retryAfter;
  }

  int code() {
    return code;
  }

  Duration retryAfter() {
    return retryAfter;
  }

  /** Whether the version asked for is no longer, or not yet, known: another list is needed. */
  boolean versionIsGone() {
    return code == 410 || cause.equals(TOO_LARGE);
  }

  /** Whether the same request would be refused again, and by other servers too. */
  boolean isRefusal() {
    return code >= 400 && code < 500 && code != 408 && code != 410 && code != 429;
  }
}
