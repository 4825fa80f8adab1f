// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Keys and values in the order written; keys are distinct.
 *
 * <p>Implementation note: two arrays and a linear search, because nearly all mappings of a manifest
 * have fewer than ten keys and live for microseconds.
 */
final class Mapping implements Node {
  private final String[] keys;
  private final Node[] values;
  private final int line;

  private Mapping(String[] keys, Node[] values, int line) {
    this.keys = keys;
    this.values = values;
    this.line = line;
  }

  int size() {
    return keys.length;
  }

  String key(int index) {
    return keys[index];
  }

  Node value(int index) {
    return values[index];
  }

  /** The value of a key; null if there is none, or if it is written but empty ({@code null}). */
  @Nullable Node get(String key) {
    for (int i = 0; i < keys.length; i++) {
      if (keys[i].equals(key)) {
        Node value = values[i];
        return value instanceof Scalar scalar && scalar.isNull() ? null : value;
      }
    }
    return null;
  }

  @Override
  public int line() {
    return line;
  }

  @Override
  public String what() {
    return "a mapping";
  }

  /** Collects the entries of one mapping. */
  static final class Builder {
    private static final int LINEAR = 16;

    private String[] keys = new String[8];
    private Node[] values = new Node[8];
    private int size;
    private @Nullable Set<String> seen;

    /** Adds an entry, unless the key is already there: then it returns false. */
    boolean add(String key, Node value) {
      if (contains(key)) {
        return false;
      }
      if (size == keys.length) {
        keys = Arrays.copyOf(keys, 2 * size);
        values = Arrays.copyOf(values, 2 * size);
      }
      keys[size] = key;
      values[size++] = value;
      if (seen != null) {
        seen.add(key);
      } else if (size == LINEAR) {
        seen = new HashSet<>(Arrays.asList(keys).subList(0, size));
      }
      return true;
    }

    Mapping build(int line) {
      return new Mapping(Arrays.copyOf(keys, size), Arrays.copyOf(values, size), line);
    }

    private boolean contains(String key) {
      if (seen != null) {
        return seen.contains(key);
      }
      for (int i = 0; i < size; i++) {
        if (keys[i].equals(key)) {
          return true;
        }
      }
      return false;
    }
  }
}
