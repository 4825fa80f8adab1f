// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.model.Problem.Severity;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Typed access to the fields of one mapping. A field of the wrong type is reported with its path
 * and taken as absent, so that one pass finds all problems of an object. Paths are put together
 * only when something is reported.
 */
final class Fields {
  private final Mapping mapping;
  private final Reporter reporter;
  private final @Nullable Fields parent;
  private final String name;
  private final int index;

  private Fields(
      Mapping mapping, Reporter reporter, @Nullable Fields parent, String name, int index) {
    this.mapping = mapping;
    this.reporter = reporter;
    this.parent = parent;
    this.name = name;
    this.index = index;
  }

  /**
   * The fields of an object.
   *
   * @param prefix what stands before each path, for an item of a list; mostly empty
   */
  static Fields of(Mapping object, Reporter reporter, String prefix) {
    return new Fields(object, reporter, null, prefix, -1);
  }

  /** The same fields with problems going elsewhere. */
  Fields with(Reporter other) {
    return new Fields(mapping, other, parent, name, index);
  }

  Reporter reporter() {
    return reporter;
  }

  boolean has(String field) {
    return mapping.get(field) != null;
  }

  /** The value of a text field; empty if it is absent or of another type. */
  String text(String field) {
    Node value = mapping.get(field);
    if (value == null) {
      return "";
    }
    if (value instanceof Scalar scalar && scalar.type() == Scalar.Type.STRING) {
      return scalar.text();
    }
    wrongType(path(field), value, "a string");
    return "";
  }

  /** The value of a text field that allows certain values; empty if absent or something else. */
  String oneOf(String field, String... allowed) {
    String text = text(field);
    if (text.isEmpty() || List.of(allowed).contains(text)) {
      return text;
    }
    error(field, "\"" + text + "\" is unknown; allowed are " + String.join(", ", allowed));
    return "";
  }

  /** The value of a text field that must be there; empty (and reported) if it is not. */
  String requiredText(String field) {
    if (!has(field)) {
      error(field, "is missing");
    }
    return text(field);
  }

  boolean bool(String field, boolean otherwise) {
    Node value = mapping.get(field);
    if (value == null) {
      return otherwise;
    }
    if (value instanceof Scalar scalar && scalar.type() == Scalar.Type.BOOLEAN) {
      return scalar.isTrue();
    }
    wrongType(path(field), value, "a boolean, true or false");
    return otherwise;
  }

  /**
   * The value of an integer field.
   *
   * @param otherwise the value if it is absent, of another type, or not from {@code min} to {@code
   *     max}
   */
  int integer(String field, int min, int max, int otherwise) {
    Node value = mapping.get(field);
    if (value == null) {
      return otherwise;
    }
    if (!(value instanceof Scalar scalar) || scalar.type() != Scalar.Type.INTEGER) {
      wrongType(path(field), value, "an integer from " + min + " to " + max);
      return otherwise;
    }
    return integer(field, scalar, min, max, otherwise);
  }

  /** The scalar of a field that may be an integer or a string; null if absent or something else. */
  @Nullable Scalar integerOrText(String field) {
    Node value = mapping.get(field);
    if (value == null) {
      return null;
    }
    if (value instanceof Scalar scalar
        && (scalar.type() == Scalar.Type.INTEGER || scalar.type() == Scalar.Type.STRING)) {
      return scalar;
    }
    wrongType(path(field), value, "an integer or a string");
    return null;
  }

  /** The range check of {@link #integer(String, int, int, int)} for a scalar that is an integer. */
  int integer(String field, Scalar scalar, int min, int max, int otherwise) {
    String text = scalar.text();
    int digits = text.startsWith("-") || text.startsWith("+") ? 1 : 0;
    if (text.length() > digits + 1 && text.charAt(digits) == '0') {
      error(field, text + " begins with 0; write it as a decimal number without leading zeros");
      return otherwise;
    }
    long number;
    try {
      number = Long.parseLong(text);
    } catch (NumberFormatException _) {
      number = text.startsWith("-") ? Long.MIN_VALUE : Long.MAX_VALUE;
    }
    if (number < min || number > max) {
      error(field, text + " is out of range; allowed are " + min + " to " + max);
      return otherwise;
    }
    return (int) number;
  }

  /** The fields below a field; null if it is absent or not a mapping. */
  @Nullable Fields mapping(String field) {
    Node value = mapping.get(field);
    if (value == null) {
      return null;
    }
    if (value instanceof Mapping child) {
      return new Fields(child, reporter, this, field, -1);
    }
    wrongType(path(field), value, "a mapping");
    return null;
  }

  /** The items of a list of mappings; empty if it is absent. Items of other types are left out. */
  List<Fields> mappings(String field) {
    List<Node> items = items(field);
    if (items.isEmpty()) {
      return List.of();
    }
    List<Fields> list = new ArrayList<>(items.size());
    for (int i = 0; i < items.size(); i++) {
      if (items.get(i) instanceof Mapping child) {
        list.add(new Fields(child, reporter, this, field, i));
      } else {
        wrongType(path(field) + "[" + i + "]", items.get(i), "a mapping");
      }
    }
    return list;
  }

  /** The items of a list of strings; empty if it is absent. An item of another type becomes "". */
  List<String> texts(String field) {
    List<Node> items = items(field);
    if (items.isEmpty()) {
      return List.of();
    }
    List<String> list = new ArrayList<>(items.size());
    for (int i = 0; i < items.size(); i++) {
      if (items.get(i) instanceof Scalar scalar && scalar.type() == Scalar.Type.STRING) {
        list.add(scalar.text());
      } else {
        wrongType(path(field) + "[" + i + "]", items.get(i), "a string");
        list.add("");
      }
    }
    return list;
  }

  /** A mapping of strings to strings, for example labels; empty if it is absent. */
  Map<String, String> textMap(String field) {
    Node value = mapping.get(field);
    if (value == null) {
      return Map.of();
    }
    if (!(value instanceof Mapping child)) {
      wrongType(path(field), value, "a mapping");
      return Map.of();
    }
    Map<String, String> map = new TreeMap<>();
    for (int i = 0; i < child.size(); i++) {
      Node item = child.value(i);
      if (item instanceof Scalar scalar && scalar.type() == Scalar.Type.STRING) {
        map.put(child.key(i), scalar.text());
      } else if (item instanceof Scalar scalar && scalar.isNull()) {
        map.put(child.key(i), "");
      } else {
        wrongType(path(field) + "[" + child.key(i) + "]", item, "a string");
      }
    }
    return Collections.unmodifiableMap(map);
  }

  /** Reports an error about a field; about the mapping itself if the field's name is empty. */
  void error(String field, String reason) {
    report(Severity.ERROR, field, reason);
  }

  void report(Severity severity, String field, String reason) {
    String key = field.endsWith("]") ? field.substring(0, field.indexOf('[')) : field;
    Node value = field.isEmpty() ? null : mapping.get(key);
    reporter.report(severity, path(field), reason, value == null ? mapping.line() : value.line());
  }

  private List<Node> items(String field) {
    Node value = mapping.get(field);
    if (value == null) {
      return List.of();
    }
    if (value instanceof Sequence list) {
      return list.items();
    }
    wrongType(path(field), value, "a list");
    return List.of();
  }

  private void wrongType(String path, Node value, String wanted) {
    String found = value.what();
    String hint = "";
    if (value instanceof Scalar scalar) {
      found = "\"" + shortened(scalar.text()) + "\" is " + found;
      if (wanted.equals("a string")) {
        hint = "; write it in quotes";
      } else if (!scalar.plain()) {
        hint = "; write it without quotes";
      }
    } else {
      found = "is " + found;
    }
    reporter.report(Severity.ERROR, path, found + ", not " + wanted + hint, value.line());
  }

  private static String shortened(String text) {
    return text.length() <= 60 ? text : text.substring(0, 60) + "...";
  }

  private String path(String field) {
    StringBuilder path = new StringBuilder();
    appendTo(path);
    if (!field.isEmpty()) {
      path.append(path.isEmpty() ? "" : ".").append(field);
    }
    return path.toString();
  }

  private void appendTo(StringBuilder path) {
    if (parent != null) {
      parent.appendTo(path);
    }
    if (!name.isEmpty()) {
      path.append(path.isEmpty() ? "" : ".").append(name);
    }
    if (index >= 0) {
      path.append('[').append(index).append(']');
    }
  }
}
