// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

/**
 * A scalar as written.
 *
 * @param text without quotes
 * @param plain whether it was written without quotes, so that its text decides about its type
 */
record Scalar(String text, boolean plain, int line) implements Node {
  /** What a scalar is to a consumer of Kubernetes manifests. */
  enum Type {
    NULL("empty"),
    BOOLEAN("a boolean"),
    INTEGER("an integer"),
    FLOAT("a number with a fraction or an exponent"),
    STRING("a string");

    private final String what;

    Type(String what) {
      this.what = what;
    }
  }

  /**
   * The type as {@code kubectl} sees it: the YAML 1.2 core schema, and with YAML 1.1 the words
   * {@code yes}, {@code no}, {@code on} and {@code off} are booleans.
   */
  Type type() {
    if (!plain) {
      return Type.STRING;
    }
    if (text.isEmpty()) {
      return Type.NULL;
    }
    char first = text.charAt(0);
    if ((first >= '0' && first <= '9') || first == '-' || first == '+' || first == '.') {
      return numberType();
    }
    return switch (text) {
      case "~", "null", "Null", "NULL" -> Type.NULL;
      case "true", "True", "TRUE", "false", "False", "FALSE" -> Type.BOOLEAN;
      case "yes", "Yes", "YES", "no", "No", "NO" -> Type.BOOLEAN;
      case "on", "On", "ON", "off", "Off", "OFF" -> Type.BOOLEAN;
      default -> Type.STRING;
    };
  }

  /** Whether a scalar of type {@link Type#BOOLEAN} means true. */
  boolean isTrue() {
    return switch (text.charAt(0)) {
      case 't', 'T', 'y', 'Y' -> true;
      default -> text.equalsIgnoreCase("on");
    };
  }

  boolean isNull() {
    return type() == Type.NULL;
  }

  @Override
  public String what() {
    return type().what;
  }

  private Type numberType() {
    int at = text.charAt(0) == '-' || text.charAt(0) == '+' ? 1 : 0;
    if (text.startsWith("0x", at) || text.startsWith("0o", at)) {
      return isRadix(at + 2, text.charAt(at + 1) == 'x' ? 16 : 8) ? Type.INTEGER : Type.STRING;
    }
    String unsigned = text.substring(at);
    if (unsigned.equalsIgnoreCase(".inf") || unsigned.equalsIgnoreCase(".nan")) {
      return Type.FLOAT;
    }
    int whole = digitsFrom(at);
    int end = whole;
    if (end < text.length() && text.charAt(end) == '.') {
      end = digitsFrom(end + 1);
    }
    int digits = end - at - (end > whole ? 1 : 0);
    if (digits == 0) {
      return Type.STRING;
    }
    if (end < text.length() && (text.charAt(end) | 0x20) == 'e') {
      int exponent = end + 1;
      if (exponent < text.length()
          && (text.charAt(exponent) == '-' || text.charAt(exponent) == '+')) {
        exponent++;
      }
      int exponentEnd = digitsFrom(exponent);
      end = exponentEnd > exponent ? exponentEnd : end;
    }
    if (end < text.length()) {
      return Type.STRING;
    }
    return end == whole ? Type.INTEGER : Type.FLOAT;
  }

  private int digitsFrom(int start) {
    int at = start;
    while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
      at++;
    }
    return at;
  }

  private boolean isRadix(int start, int radix) {
    for (int at = start; at < text.length(); at++) {
      if (Character.digit(text.charAt(at), radix) < 0) {
        return false;
      }
    }
    return start < text.length();
  }
}
