// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

/** A document that cannot be read. The message is for people: what is wrong, and on which line. */
final class SyntaxException extends Exception {
  private static final long serialVersionUID = 1;

  SyntaxException(String message) {
    super(message, null, false, false);
  }

  /** With the line appended, if it is known (not 0). */
  SyntaxException(String message, int line) {
    this(line == 0 ? message : message + " (line " + line + ")");
  }
}
