// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.concurrent.locks.LockSupport;

/** Reads a file that may be anything: huge, no file at all, not text. */
final class TextFile {
  static final long MAX_BYTES = 64L << 20;

  /** A file that changes while it is read is read again, this often. */
  private static final int MAX_ATTEMPTS = 10;

  private static final long RETRY_NANOS = 20_000_000;

  private TextFile() {}

  /**
   * Reads a whole file as UTF-8, without its byte order mark. Never reads more than {@link
   * #MAX_BYTES} and one more, never blocks on a pipe.
   *
   * @throws IOException whose message is the reason, for people
   */
  static String read(Path file) throws IOException {
    try {
      return decode(bytes(file));
    } catch (FileSystemException e) {
      throw new IOException("cannot be read: " + reason(e), e);
    }
  }

  /** Why a file operation failed, in a few words and without the file's name. */
  static String reason(FileSystemException e) {
    return switch (e) {
      case NoSuchFileException _ -> "it does not exist";
      case AccessDeniedException _ -> "permission denied";
      default -> e.getReason() == null ? e.getClass().getSimpleName() : e.getReason();
    };
  }

  private static byte[] bytes(Path file) throws IOException {
    BasicFileAttributes before = Files.readAttributes(file, BasicFileAttributes.class);
    for (int attempt = 1; ; attempt++) {
      byte[] bytes = bytes(file, before);
      BasicFileAttributes after = Files.readAttributes(file, BasicFileAttributes.class);
      boolean settled =
          before.size() == after.size()
              && before.lastModifiedTime().equals(after.lastModifiedTime());
      if (settled || attempt == MAX_ATTEMPTS) {
        return bytes;
      }
      LockSupport.parkNanos(RETRY_NANOS);
      before = after;
    }
  }

  private static byte[] bytes(Path file, BasicFileAttributes attributes) throws IOException {
    if (!attributes.isRegularFile()) {
      throw new IOException(
          "is not a file but " + (attributes.isDirectory() ? "a directory" : "a device or pipe"));
    }
    if (attributes.size() > MAX_BYTES) {
      throw tooLarge(attributes.size() + " bytes");
    }
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes((int) MAX_BYTES + 1);
      if (bytes.length > MAX_BYTES) {
        throw tooLarge("more than " + MAX_BYTES + " bytes");
      }
      return bytes;
    } catch (FileSystemException e) {
      throw e;
    } catch (IOException e) {
      throw new IOException("cannot be read: " + e.getMessage(), e);
    }
  }

  private static IOException tooLarge(String size) {
    return new IOException(
        "is too large: " + size + "; at most " + MAX_BYTES + " bytes (64 MiB) are read");
  }

  private static String decode(byte[] bytes) throws IOException {
    String text = new String(bytes, StandardCharsets.UTF_8);
    if (text.indexOf('\uFFFD') >= 0) {
      checkUtf8(bytes);
    }
    return text.startsWith("\uFEFF") ? text.substring(1) : text;
  }

  /** Finds the first byte that is not UTF-8, where decoding left a replacement character. */
  private static void checkUtf8(byte[] bytes) throws IOException {
    CharsetDecoder decoder =
        StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);
    ByteBuffer in = ByteBuffer.wrap(bytes);
    CharBuffer out = CharBuffer.allocate(1 << 16);
    CoderResult result = decoder.decode(in, out, true);
    while (result.isOverflow()) {
      out.clear();
      result = decoder.decode(in, out, true);
    }
    if (result.isError()) {
      int offset = in.position();
      throw new IOException(
          "is not UTF-8: byte 0x"
              + Integer.toHexString(bytes[offset] & 0xff)
              + " at offset "
              + offset);
    }
  }
}
