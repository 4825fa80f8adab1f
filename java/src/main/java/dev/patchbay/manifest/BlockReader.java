// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Builds the tree of a YAML document that uses nothing but the plain subset in which nearly all
 * manifests are written: block mappings and block sequences, scalars on one line without escapes,
 * empty flow collections, comments, ASCII. Everything else, and everything that is not valid, it
 * declines: then {@link YamlReader} decides. Where it does not decline, the tree is the same (a
 * property test compares them); it is several times as fast, above all in a virtual machine that
 * has just started.
 *
 * <p>An instance serves one document.
 */
final class BlockReader {
  /** Thrown to decline; carries nothing. */
  private static final class Declined extends Exception {
    private static final long serialVersionUID = 1;

    Declined() {
      super("outside of the subset", null, false, false);
    }
  }

  /**
   * Outcome.
   *
   * @param declined whether the document is outside of the subset
   * @param root null if it is empty
   */
  record Result(boolean declined, @Nullable Node root) {}

  private static final Result DECLINED = new Result(true, null);
  private static final int MAX_SIMPLE_KEY = 1000;
  private static final int MAX_POOLED = 40;

  /**
   * Strings met before, so that repeated ones exist once. Races are harmless: a slot holds one
   * string or another, or none.
   */
  private static final @Nullable String[] POOL = new @Nullable String[1 << 12];

  private final char[] text;
  private int at;

  /** Column of the first character of the current line's content; -1 at the end. */
  private int indent;

  private BlockReader(char[] text) {
    this.text = text;
  }

  /** Reads the document between two offsets. */
  static Result read(String text, int from, int to) {
    char[] chars = new char[to - from];
    text.getChars(from, to, chars, 0);
    BlockReader reader = new BlockReader(chars);
    try {
      Node root = reader.document();
      boolean empty = root instanceof Scalar scalar && scalar.isNull();
      return new Result(false, empty ? null : root);
    } catch (Declined _) {
      return DECLINED;
    }
  }

  private @Nullable Node document() throws Declined {
    if (text.length >= 3 && text[0] == '-' && text[1] == '-' && text[2] == '-') {
      at = 3;
      endOfLine();
    } else {
      nextLine();
    }
    if (indent < 0) {
      return null;
    }
    Node root = block(0);
    if (indent >= 0) {
      throw new Declined();
    }
    return root;
  }

  /** Reads the collection that begins at the current place, the first content of a line. */
  private Node block(int depth) throws Declined {
    if (depth > YamlReader.MAX_DEPTH) {
      throw new Declined();
    }
    return isDash() ? sequence(depth) : mapping(indent, depth);
  }

  private boolean isDash() {
    return text[at] == '-'
        && (at + 1 == text.length || text[at + 1] == ' ' || text[at + 1] == '\n');
  }

  private Sequence sequence(int depth) throws Declined {
    int column = indent;
    List<Node> items = new ArrayList<>();
    while (indent == column && isDash()) {
      int dash = at;
      at++;
      skipSpaces();
      if (at < text.length && text[at] != '\n' && text[at] != '#') {
        if (isDash()) {
          throw new Declined();
        }
        items.add(isKey() ? mapping(column + at - dash, depth + 1) : scalar(column));
      } else {
        endOfLine();
        items.add(indent > column ? block(depth + 1) : empty());
      }
    }
    if (indent > column) {
      throw new Declined();
    }
    return new Sequence(items, 0);
  }

  /** Reads the mapping whose first key is at the current place, in a column. */
  private Mapping mapping(int column, int depth) throws Declined {
    if (depth > YamlReader.MAX_DEPTH) {
      throw new Declined();
    }
    Mapping.Builder entries = new Mapping.Builder();
    do {
      if (isDash()) {
        throw new Declined();
      }
      String key = key();
      skipSpaces();
      Node value;
      if (at < text.length && text[at] != '\n' && text[at] != '#') {
        value = scalar(column);
      } else {
        endOfLine();
        boolean nested = indent > column || (indent == column && isDash());
        value = nested ? block(depth + 1) : empty();
      }
      if (!entries.add(key, value)) {
        throw new Declined();
      }
    } while (indent == column && !isDash());
    if (indent > column) {
      throw new Declined();
    }
    return entries.build(0);
  }

  private static Scalar empty() {
    return new Scalar("", true, 0);
  }

  /** Whether a key and its colon are at the current place. */
  private boolean isKey() {
    int end = keyEnd();
    return end > at && end < text.length && text[end] == ':' && isBlankAt(end + 1);
  }

  private int keyEnd() {
    int end = at;
    while (end < text.length && isKeyChar(text[end])) {
      end++;
    }
    return end;
  }

  private String key() throws Declined {
    int end = keyEnd();
    boolean valid =
        end > at
            && end - at < MAX_SIMPLE_KEY
            && isLetterOrDigit(text[at])
            && end < text.length
            && text[end] == ':'
            && isBlankAt(end + 1);
    if (!valid) {
      throw new Declined();
    }
    String key = string(at, end);
    at = end + 1;
    return key;
  }

  private boolean isBlankAt(int place) {
    return place >= text.length || text[place] == ' ' || text[place] == '\n';
  }

  /** Reads a scalar, or an empty flow collection, to the end of its line. */
  private Node scalar(int parentColumn) throws Declined {
    char first = text[at];
    Node node;
    if (first == '"' || first == '\'') {
      node = quoted(first);
    } else if (first == '{' || first == '[') {
      if (at + 1 == text.length || text[at + 1] != (first == '{' ? '}' : ']')) {
        throw new Declined();
      }
      at += 2;
      node = first == '{' ? new Mapping.Builder().build(0) : new Sequence(List.of(), 0);
    } else {
      node = plain(first);
    }
    endOfLine();
    if (indent > parentColumn) {
      throw new Declined(); // the scalar goes on, or there is a mistake
    }
    return node;
  }

  private Scalar quoted(char quote) throws Declined {
    int start = ++at;
    while (at < text.length && text[at] != quote) {
      char c = text[at++];
      if (c < ' ' || c > '~' || c == '\\') {
        throw new Declined();
      }
    }
    int end = at++;
    if (end >= text.length || (at < text.length && text[at] != ' ' && text[at] != '\n')) {
      throw new Declined();
    }
    return new Scalar(string(start, end), false, 0);
  }

  private Scalar plain(char first) throws Declined {
    boolean negative = first == '-' && at + 1 < text.length && isLetterOrDigit(text[at + 1]);
    if (!isLetterOrDigit(first) && !negative && first != '/' && first != '_' && first != '.') {
      throw new Declined();
    }
    int start = at;
    int end = at;
    while (at < text.length) {
      char c = text[at];
      if (c == '\n') {
        break;
      }
      if (c == ' ') {
        if (at + 1 < text.length && text[at + 1] == '#') {
          break;
        }
      } else if (c < ' ' || c > '~' || (c == ':' && isBlankAt(at + 1))) {
        throw new Declined();
      } else {
        end = at + 1;
      }
      at++;
    }
    return new Scalar(string(start, end), true, 0);
  }

  private void skipSpaces() {
    while (at < text.length && text[at] == ' ') {
      at++;
    }
  }

  /** Takes white space and a comment to the end of the line, and goes to the next content. */
  private void endOfLine() throws Declined {
    int start = at;
    skipSpaces();
    if (at < text.length && text[at] == '#' && (at > start || text[at - 1] == ' ')) {
      comment();
    }
    if (at < text.length && text[at] != '\n') {
      throw new Declined();
    }
    at++;
    nextLine();
  }

  private void comment() throws Declined {
    while (at < text.length && text[at] != '\n') {
      if (text[at] < ' ' || text[at] > '~') {
        throw new Declined();
      }
      at++;
    }
  }

  /** From the beginning of a line goes to the first content of this line or one below. */
  private void nextLine() throws Declined {
    while (at < text.length) {
      int start = at;
      skipSpaces();
      if (at == text.length) {
        break;
      }
      if (text[at] == '#') {
        comment();
      } else if (text[at] != '\n') {
        indent = at - start;
        return;
      }
      at++;
    }
    indent = -1;
  }

  private String string(int start, int end) {
    int length = end - start;
    if (length == 0 || length > MAX_POOLED) {
      return new String(text, start, length);
    }
    int hash = 0;
    for (int i = start; i < end; i++) {
      hash = 31 * hash + text[i];
    }
    int slot = (hash ^ (hash >>> 16)) & (POOL.length - 1);
    String pooled = POOL[slot];
    if (pooled != null && pooled.length() == length && equals(pooled, start)) {
      return pooled;
    }
    String string = new String(text, start, length);
    POOL[slot] = string;
    return string;
  }

  private boolean equals(String string, int start) {
    for (int i = 0; i < string.length(); i++) {
      if (string.charAt(i) != text[start + i]) {
        return false;
      }
    }
    return true;
  }

  private static boolean isKeyChar(char c) {
    return isLetterOrDigit(c) || c == '-' || c == '.' || c == '/' || c == '_';
  }

  private static boolean isLetterOrDigit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  }
}
