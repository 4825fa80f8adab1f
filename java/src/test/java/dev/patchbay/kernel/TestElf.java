// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Damages object files. */
final class TestElf {
  private static final int INSTRUCTION = 8;

  private TestElf() {}

  /** Replaces the last instruction of a section, an exit, so that the program runs off its end. */
  static void breakProgram(byte[] elf, String section) {
    ByteBuffer file = ByteBuffer.wrap(elf).order(ByteOrder.LITTLE_ENDIAN);
    int table = Math.toIntExact(file.getLong(0x28));
    int entrySize = file.getShort(0x3a);
    int names = Math.toIntExact(file.getLong(table + entrySize * file.getShort(0x3e) + 0x18));
    byte[] wanted = (section + "\0").getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < file.getShort(0x3c); i++) {
      int at = table + entrySize * i;
      ByteBuffer name = ByteBuffer.wrap(elf, names + file.getInt(at), wanted.length);
      if (name.equals(ByteBuffer.wrap(wanted))) {
        long end = file.getLong(at + 0x18) + file.getLong(at + 0x20);
        file.putLong(Math.toIntExact(end) - INSTRUCTION, 0xb7); // r0 = 0
        return;
      }
    }
    throw new IllegalArgumentException("no section " + section);
  }
}
