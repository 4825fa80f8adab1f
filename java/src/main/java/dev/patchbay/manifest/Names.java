// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import java.util.regex.Pattern;

/** The rules for names of the Kubernetes API. */
final class Names {
  static final String LABEL_RULE =
      "lower case letters, digits and '-', at most 63, with a letter or digit at both ends";
  static final String SUBDOMAIN_RULE =
      "lower case letters, digits, '-' and '.', at most 253, with a letter or digit at both ends";
  static final String PORT_NAME_RULE =
      "lower case letters, digits and single '-', at most 15, with at least one letter and a letter"
          + " or digit at both ends";

  static final String LABEL_VALUE_RULE =
      "letters, digits, '-', '_' and '.', at most 63, with a letter or digit at both ends";

  private static final Pattern LABEL_VALUE =
      Pattern.compile("([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?");

  private Names() {}

  /** Whether it is a DNS label as in RFC 1123. */
  static boolean isLabel(String name) {
    return name.length() <= 63 && isLabel(name, 0, name.length());
  }

  /** Whether it is dotted DNS labels, each of any length, at most 253 characters in all. */
  static boolean isSubdomain(String name) {
    if (name.length() > 253) {
      return false;
    }
    int start = 0;
    for (int dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', start)) {
      if (!isLabel(name, start, dot)) {
        return false;
      }
      start = dot + 1;
    }
    return isLabel(name, start, name.length());
  }

  /** Whether it is a service name as in RFC 6335, in lower case. */
  static boolean isPortName(String name) {
    if (name.length() > 15 || !isLabel(name) || name.contains("--")) {
      return false;
    }
    for (int i = 0; i < name.length(); i++) {
      if (name.charAt(i) >= 'a' && name.charAt(i) <= 'z') {
        return true;
      }
    }
    return false;
  }

  /** Whether it is empty or a value that a label can have. */
  static boolean isLabelValue(String value) {
    return LABEL_VALUE.matcher(value).matches();
  }

  private static boolean isLabel(String text, int from, int to) {
    if (to == from || text.charAt(from) == '-' || text.charAt(to - 1) == '-') {
      return false;
    }
    for (int i = from; i < to; i++) {
      char c = text.charAt(i);
      if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) {
        return false;
      }
    }
    return true;
  }
}
