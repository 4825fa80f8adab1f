// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.model;

import java.util.Comparator;

/**
 * Something wrong with the input, told so that a person can find and mend it.
 *
 * @param severity what it means for the object
 * @param file the file, as its name below the manifest directory; empty if no file is to blame
 * @param document the number of the YAML document in the file, from 1; 0 if it concerns the file
 * @param object kind and key, for example {@code Service default/kubia}; empty if unknown
 * @param field path of the field, for example {@code spec.ports[0].port}; empty if it concerns all
 * @param reason one sentence without a full stop, with the offending value
 */
public record Problem(
    Severity severity, String file, int document, String object, String field, String reason)
    implements Comparable<Problem> {

  /** What a problem means. */
  public enum Severity {
    /** The object, or the part named, is not used; an earlier good version may be. */
    ERROR,
    /** The object is used, though probably not as its author meant. */
    WARNING,
    /** Worth knowing; nothing to mend. Does not make {@code validate} fail. */
    NOTE
  }

  private static final Comparator<Problem> ORDER =
      Comparator.comparing(Problem::file)
          .thenComparingInt(Problem::document)
          .thenComparing(Problem::object)
          .thenComparing(Problem::field)
          .thenComparing(Problem::severity)
          .thenComparing(Problem::reason);

  @Override
  public int compareTo(Problem other) {
    return ORDER.compare(this, other);
  }

  /** {@code file, document N: object: field: reason}, without the parts that are unknown. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder(file);
    if (document > 0) {
      text.append(text.isEmpty() ? "" : ", ").append("document ").append(document);
    }
    for (String part : new String[] {object, field, reason}) {
      if (!part.isEmpty()) {
        text.append(text.isEmpty() ? "" : ": ").append(part);
      }
    }
    return text.toString();
  }
}
