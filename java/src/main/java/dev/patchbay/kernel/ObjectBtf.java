// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What an object file says about itself: the version of its ABI, and the layout of keys and values
 * of each map. Reads as much of ELF (64 bit, little-endian) and of BTF (Documentation/bpf/btf.rst
 * in Linux) as that takes. Immutable.
 */
final class ObjectBtf {
  private static final int INT = 1;
  private static final int POINTER = 2;
  private static final int ARRAY = 3;
  private static final int STRUCT = 4;
  private static final int UNION = 5;
  private static final int ENUM = 6;
  private static final int TYPEDEF = 8;
  private static final int VOLATILE = 9;
  private static final int CONST = 10;
  private static final int FUNCTION_PROTOTYPE = 13;
  private static final int VARIABLE = 14;
  private static final int DATA_SECTION = 15;
  private static final int DECLARATION_TAG = 17;
  private static final int ENUM64 = 19;

  private record Type(int kind, String name, int info, int sizeOrType, int extraAt) {
    int count() {
      return info & 0xffff;
    }
  }

  private final ByteBuffer data;
  private final int stringsAt;
  private final List<Type> types = new ArrayList<>();
  private final Map<String, String> layouts = new HashMap<>();
  private final int abiVersion;

  /**
   * Reads an object file.
   *
   * @throws IllegalArgumentException if it is none of ours
   */
  ObjectBtf(byte[] elf) {
    try {
      abiVersion = section(elf, "abi").getInt(0);
      data = section(elf, ".BTF");
      if ((data.getShort(0) & 0xffff) != 0xeb9f || data.get(2) != 1) {
        throw new IllegalArgumentException("no BTF of version 1");
      }
      int header = data.getInt(4);
      stringsAt = header + data.getInt(16);
      readTypes(header + data.getInt(8), data.getInt(12));
      for (Type type : types) {
        if (type.kind() == DATA_SECTION && type.name().equals(".maps")) {
          readMaps(type);
        }
      }
    } catch (IndexOutOfBoundsException | BufferUnderflowException | ArithmeticException broken) {
      throw new IllegalArgumentException("a damaged object file", broken);
    }
  }

  /** The version of the ABI, {@code PB_ABI_VERSION} when it was compiled. */
  int abiVersion() {
    return abiVersion;
  }

  /**
   * What lies where in keys and values of a map, with the names of structs and members; empty for a
   * map without keys and values, such as a ring buffer. Two maps with equal layouts can be read by
   * each other's programs.
   */
  String layout(PatchbayMap map) {
    String layout = layouts.get(map.mapName());
    if (layout == null) {
      throw new IllegalArgumentException("no map " + map.mapName());
    }
    return layout;
  }

  private void readTypes(int from, int length) {
    types.add(new Type(0, "void", 0, 0, 0));
    for (int at = from; at < from + length; ) {
      int info = data.getInt(at + 4);
      int kind = info >>> 24 & 0x1f;
      types.add(new Type(kind, string(data.getInt(at)), info, data.getInt(at + 8), at + 12));
      at += 12 + extraBytes(kind, info & 0xffff);
    }
  }

  private static int extraBytes(int kind, int count) {
    return switch (kind) {
      case INT, VARIABLE, DECLARATION_TAG -> 4;
      case ARRAY -> 12;
      case STRUCT, UNION, DATA_SECTION, ENUM64 -> 12 * count;
      case ENUM, FUNCTION_PROTOTYPE -> 8 * count;
      default -> 0;
    };
  }

  /** A map is a variable whose type is a struct with pointers to the types of key and value. */
  private void readMaps(Type section) {
    for (int i = 0; i < section.count(); i++) {
      Type variable = types.get(data.getInt(section.extraAt() + 12 * i));
      Type definition = types.get(variable.sizeOrType());
      StringBuilder layout = new StringBuilder();
      for (int member = 0; member < definition.count(); member++) {
        int at = definition.extraAt() + 12 * member;
        String name = string(data.getInt(at));
        if (name.equals("key") || name.equals("value")) {
          Type pointer = types.get(data.getInt(at + 4));
          layout.append(layout.isEmpty() ? "" : " -> ").append(describe(pointer.sizeOrType()));
        }
      }
      layouts.put(variable.name(), layout.toString());
    }
  }

  private String describe(int id) {
    Type type = types.get(id);
    return switch (type.kind()) {
      case INT -> {
        int encoding = data.getInt(type.extraAt());
        yield ((encoding >>> 24 & 1) == 1 ? "s" : "u") + (encoding & 0xff);
      }
      // the order of bytes is part of the meaning; other names for numbers are not
      case TYPEDEF -> type.name().startsWith("__be") ? type.name() : describe(type.sizeOrType());
      case VOLATILE, CONST -> describe(type.sizeOrType());
      case ARRAY ->
          describe(data.getInt(type.extraAt())) + "[" + data.getInt(type.extraAt() + 8) + "]";
      case STRUCT, UNION -> members(type);
      case ENUM -> "enum " + type.name();
      case POINTER -> "pointer";
      default -> throw new IllegalArgumentException("type of kind " + type.kind() + " in a map");
    };
  }

  private String members(Type type) {
    if (type.info() < 0) {
      throw new IllegalArgumentException("bit field in " + type.name());
    }
    StringBuilder text = new StringBuilder(type.kind() == STRUCT ? "struct " : "union ");
    text.append(type.name()).append(" {");
    for (int i = 0; i < type.count(); i++) {
      int at = type.extraAt() + 12 * i;
      text.append(i == 0 ? "" : ", ")
          .append(data.getInt(at + 8) / 8)
          .append(' ')
          .append(string(data.getInt(at)))
          .append(' ')
          .append(describe(data.getInt(at + 4)));
    }
    return text.append("} ").append(type.sizeOrType()).toString();
  }

  private String string(int offset) {
    int start = stringsAt + offset;
    int end = start;
    while (data.get(end) != 0) {
      end++;
    }
    byte[] bytes = new byte[end - start];
    data.get(start, bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static ByteBuffer section(byte[] elf, String name) {
    ByteBuffer file = ByteBuffer.wrap(elf).order(ByteOrder.LITTLE_ENDIAN);
    if (file.getInt(0) != 0x464c457f || file.get(4) != 2 || file.get(5) != 1) {
      throw new IllegalArgumentException("no 64-bit little-endian ELF file");
    }
    int table = Math.toIntExact(file.getLong(0x28));
    int entrySize = file.getShort(0x3a);
    int names = Math.toIntExact(file.getLong(table + entrySize * file.getShort(0x3e) + 0x18));
    byte[] wanted = (name + "\0").getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < file.getShort(0x3c); i++) {
      int at = table + entrySize * i;
      int nameAt = names + file.getInt(at);
      if (nameAt + wanted.length <= elf.length
          && ByteBuffer.wrap(elf, nameAt, wanted.length).equals(ByteBuffer.wrap(wanted))) {
        return file.slice(
                Math.toIntExact(file.getLong(at + 0x18)), Math.toIntExact(file.getLong(at + 0x20)))
            .order(ByteOrder.LITTLE_ENDIAN);
      }
    }
    throw new IllegalArgumentException("no section " + name);
  }
}
