// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import java.net.ConnectException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/** Words for what went wrong. */
final class Failures {
  private Failures() {}

  /** The cause behind wrappers that say nothing. */
  static Throwable unwrapped(Throwable failure) {
    Throwable current = failure;
    while ((current instanceof CompletionException || current instanceof ExecutionException)
        && current.getCause() != null) {
      current = current.getCause();
    }
    return current;
  }

  /** A message for people, without class names where the message says enough. */
  static String describe(Throwable failure) {
    Throwable cause = unwrapped(failure);
    String message = cause.getMessage();
    if (message == null && cause.getCause() != null && cause.getCause().getMessage() != null) {
      message = cause.getCause().getMessage();
    }
    if (message == null && cause instanceof ConnectException) {
      return "no connection"; // the JDK's client keeps to itself whether it was refused
    }
    return message == null || message.isBlank() ? cause.getClass().getSimpleName() : message;
  }
}
