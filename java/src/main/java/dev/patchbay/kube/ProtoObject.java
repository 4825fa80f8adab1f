// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;

/**
 * Reads what the API server sends as {@code application/vnd.kubernetes.protobuf}: four bytes of
 * magic, then a message {@code Unknown} whose field {@code raw} is the object. Of a list, which is
 * an object too, one item is in memory at a time.
 */
final class ProtoObject {
  /** The media type, in {@code Accept} and {@code Content-Type}. */
  static final String MEDIA_TYPE = "application/vnd.kubernetes.protobuf";

  private static final byte[] MAGIC = {'k', '8', 's', 0};

  /** The tag of {@code raw} in {@code Unknown}. */
  private static final int RAW_TAG = (2 << 3) | ProtoReader.BYTES;

  /** An object of the API has at most 1.5 MB in etcd; a field of more than this is nonsense. */
  private static final int MAX_FIELD = 64 << 20;

  private final InputStream in;
  private byte[] buffer = new byte[16 * 1024];

  /** How many bytes of the message are left; that of the outermost one is not known. */
  private long left = Long.MAX_VALUE;

  private ProtoObject(InputStream in) {
    this.in = new BufferedInputStream(in, 32 * 1024);
  }

  /** Receives the fields of the object. */
  @FunctionalInterface
  interface Field {
    /**
     * Reads a field that is a message or a text.
     *
     * @param number of the field
     * @param value at its beginning; valid during the call
     */
    void read(int number, ProtoReader value) throws IOException;
  }

  /**
   * Reads an object; of its own fields those that have a length, others are passed over.
   *
   * @throws IOException if it is not what the API server sends, or breaks off
   */
  static void read(InputStream in, Field field) throws IOException {
    if (!Arrays.equals(in.readNBytes(MAGIC.length), MAGIC)) {
      throw new IOException("the answer is no object of the API in protocol buffers");
    }
    new ProtoObject(in).read(field);
  }

  private void read(Field field) throws IOException {
    for (long tag = varint(); tag != RAW_TAG; tag = varint()) {
      pass(tag);
    }
    left = varint();
    ProtoReader value = new ProtoReader();
    while (left > 0) {
      long tag = varint();
      if ((tag & 7) != ProtoReader.BYTES) {
        pass(tag);
        continue;
      }
      int length = take();
      value.reset(buffer, length);
      field.read((int) (tag >>> 3), value);
    }
  }

  private void pass(long tag) throws IOException {
    switch ((int) tag & 7) {
      case ProtoReader.VARINT -> varint();
      case ProtoReader.BYTES -> take();
      default -> throw ProtoReader.malformed();
    }
  }

  /** Reads a length and as many bytes into the buffer. */
  private int take() throws IOException {
    long length = varint();
    if (length < 0 || length > left || length > MAX_FIELD) {
      throw ProtoReader.malformed();
    }
    int count = (int) length;
    if (count > buffer.length) {
      buffer = new byte[Math.max(count, 2 * buffer.length)];
    }
    if (in.readNBytes(buffer, 0, count) < count) {
      throw new EOFException("the answer breaks off");
    }
    left -= count;
    return count;
  }

  private long varint() throws IOException {
    long value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      int next = left == 0 ? -1 : in.read();
      if (next < 0) {
        throw new EOFException("the answer breaks off");
      }
      left--;
      value |= (next & 0x7fL) << shift;
      if (next < 0x80) {
        return value;
      }
    }
    throw ProtoReader.malformed();
  }
}
