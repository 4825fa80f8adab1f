// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * Reads messages of protocol buffers from memory, field by field. Fields that nobody asks for are
 * passed over without a look at what is in them.
 *
 * <pre>{@code
 * for (int field = in.next(); field != 0; field = in.next()) {
 *   switch (field) {
 *     case 1 -> name = in.text();
 *     default -> in.skip();
 *   }
 * }
 * }</pre>
 *
 * <p>Not thread-safe.
 */
final class ProtoReader {
  static final int VARINT = 0;
  private static final int FIXED64 = 1;
  static final int BYTES = 2;
  private static final int FIXED32 = 5;

  private byte[] buffer = new byte[0];
  private int position;
  private int limit;
  private int type;

  /** Begins a message: the first {@code length} bytes of {@code bytes}, which are not copied. */
  void reset(byte[] bytes, int length) {
    buffer = bytes;
    position = 0;
    limit = length;
  }

  /** What is left of the message, as a text. */
  String rest() {
    String text = new String(buffer, position, limit - position, StandardCharsets.UTF_8);
    position = limit;
    return text;
  }

  /** The number of the next field of the message; 0 at its end. */
  int next() throws IOException {
    if (position == limit) {
      return 0;
    }
    long tag = varint();
    type = (int) tag & 7;
    int field = (int) (tag >>> 3);
    if (tag >>> 32 != 0 || field == 0) {
      throw malformed();
    }
    return field;
  }

  /** A number: the field must be a varint. Negative ones of 32 bits are sign-extended. */
  long number() throws IOException {
    require(VARINT);
    return varint();
  }

  boolean bool() throws IOException {
    return number() != 0;
  }

  String text() throws IOException {
    int length = length();
    String text = new String(buffer, position, length, StandardCharsets.UTF_8);
    position += length;
    return text;
  }

  /**
   * Enters a message within the message: fields are its own until {@link #leave}.
   *
   * @return to be given to {@link #leave}
   */
  int enter() throws IOException {
    int length = length();
    int outer = limit;
    limit = position + length;
    return outer;
  }

  /** Leaves a message, read to its end or not. */
  void leave(int outer) {
    position = limit;
    limit = outer;
  }

  void skip() throws IOException {
    switch (type) {
      case VARINT -> varint();
      case FIXED64 -> advance(8);
      case BYTES -> advance(length());
      case FIXED32 -> advance(4);
      default -> throw malformed();
    }
  }

  private void advance(int count) throws IOException {
    if (count > limit - position) {
      throw malformed();
    }
    position += count;
  }

  private void require(int wanted) throws IOException {
    if (type != wanted) {
      throw malformed();
    }
  }

  private int length() throws IOException {
    require(BYTES);
    long length = varint();
    if (length < 0 || length > limit - position) {
      throw malformed();
    }
    return (int) length;
  }

  private long varint() throws IOException {
    long value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (position == limit) {
        throw malformed();
      }
      byte next = buffer[position++];
      value |= (next & 0x7fL) << shift;
      if (next >= 0) {
        return value;
      }
    }
    throw malformed();
  }

  static IOException malformed() {
    return new IOException("malformed protocol buffers");
  }
}
