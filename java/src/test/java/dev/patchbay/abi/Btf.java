// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.abi;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The structs and enum constants that the BTF of an object file describes. Reads as much of ELF (64
 * bit, little-endian) and of BTF (Documentation/bpf/btf.rst in Linux) as that takes, and throws on
 * anything unexpected.
 */
final class Btf {
  private static final Set<String> NETWORK_ORDER = Set.of("__be16", "__be32", "__be64");
  private static final int INT = 1;
  private static final int ARRAY = 3;
  private static final int STRUCT = 4;
  private static final int UNION = 5;
  private static final int ENUM = 6;
  private static final int TYPEDEF = 8;
  private static final int VOLATILE = 9;
  private static final int CONST = 10;

  /**
   * A member of a struct.
   *
   * @param offset in bytes
   * @param width of one element, in bytes
   * @param count elements of an array; 1 for anything else
   * @param networkOrder whether its type is one of {@code __be*}
   */
  record Member(String name, int offset, int width, int count, boolean networkOrder) {}

  /** A struct, its members in the order of C. */
  record Struct(String name, int size, List<Member> members) {}

  /**
   * What was found.
   *
   * @param structs by name
   * @param constants of all enums, by name
   */
  record Description(Map<String, Struct> structs, Map<String, Long> constants) {}

  private record Type(int kind, String name, int info, int sizeOrType, int extraAt) {
    int vlen() {
      return info & 0xffff;
    }
  }

  private record Resolved(int width, int count, boolean networkOrder) {}

  private final ByteBuffer data;
  private final int stringsAt;
  private final List<Type> types = new ArrayList<>();

  private Btf(ByteBuffer data) {
    this.data = data;
    if ((data.getShort(0) & 0xffff) != 0xeb9f || data.get(2) != 1) {
      throw new IllegalArgumentException("no BTF of version 1");
    }
    int header = data.getInt(4);
    int typesAt = header + data.getInt(8);
    int typesEnd = typesAt + data.getInt(12);
    stringsAt = header + data.getInt(16);
    types.add(new Type(0, "void", 0, 0, 0));
    int at = typesAt;
    while (at < typesEnd) {
      int info = data.getInt(at + 4);
      int kind = info >>> 24 & 0x1f;
      types.add(new Type(kind, string(data.getInt(at)), info, data.getInt(at + 8), at + 12));
      at += 12 + extraBytes(kind, info & 0xffff);
    }
  }

  static Description read(byte[] elf) {
    Btf btf = new Btf(ElfSections.find(elf, ".BTF"));
    Map<String, Struct> structs = new TreeMap<>();
    Map<String, Long> constants = new TreeMap<>();
    for (Type type : btf.types) {
      if (type.kind() == STRUCT && !type.name().isEmpty()) {
        structs.put(type.name(), btf.struct(type));
      } else if (type.kind() == ENUM) {
        for (int i = 0; i < type.vlen(); i++) {
          int at = type.extraAt() + 8 * i;
          constants.put(btf.string(btf.data.getInt(at)), (long) btf.data.getInt(at + 4));
        }
      }
    }
    return new Description(structs, constants);
  }

  private Struct struct(Type type) {
    boolean bitfields = type.info() < 0;
    List<Member> members = new ArrayList<>();
    for (int i = 0; i < type.vlen(); i++) {
      int at = type.extraAt() + 12 * i;
      int bits = data.getInt(at + 8);
      if (bitfields || bits % 8 != 0) {
        throw new IllegalArgumentException("bit field in struct " + type.name());
      }
      Resolved resolved = resolve(data.getInt(at + 4));
      members.add(
          new Member(
              string(data.getInt(at)),
              bits / 8,
              resolved.width(),
              resolved.count(),
              resolved.networkOrder()));
    }
    return new Struct(type.name(), type.sizeOrType(), members);
  }

  private Resolved resolve(int id) {
    Type type = types.get(id);
    return switch (type.kind()) {
      case INT, ENUM -> new Resolved(type.sizeOrType(), 1, false);
      case TYPEDEF -> {
        Resolved below = resolve(type.sizeOrType());
        yield new Resolved(
            below.width(),
            below.count(),
            below.networkOrder() || NETWORK_ORDER.contains(type.name()));
      }
      case VOLATILE, CONST -> resolve(type.sizeOrType());
      case ARRAY -> {
        Resolved element = resolve(data.getInt(type.extraAt()));
        int count = data.getInt(type.extraAt() + 8);
        yield new Resolved(element.width(), element.count() * count, element.networkOrder());
      }
      default -> throw new IllegalArgumentException("type of kind " + type.kind());
    };
  }

  private static int extraBytes(int kind, int vlen) {
    return switch (kind) {
      case INT, 14, 17 -> 4; // 14: variable, 17: declaration tag
      case ARRAY -> 12;
      case STRUCT, UNION -> 12 * vlen;
      case ENUM, 13 -> 8 * vlen; // 13: function prototype
      case 15, 19 -> 12 * vlen; // 15: data section, 19: 64-bit enum
      default -> 0;
    };
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

  /** The sections of an ELF file. */
  static final class ElfSections {
    private ElfSections() {}

    /** The bytes of a section, sharing those of the file. */
    static ByteBuffer find(byte[] elf, String name) {
      ByteBuffer file = ByteBuffer.wrap(elf).order(ByteOrder.LITTLE_ENDIAN);
      if (file.getInt(0) != 0x464c457f || file.get(4) != 2 || file.get(5) != 1) {
        throw new IllegalArgumentException("no 64-bit little-endian ELF file");
      }
      int table = Math.toIntExact(file.getLong(0x28));
      int entrySize = file.getShort(0x3a);
      int count = file.getShort(0x3c);
      int namesAt = table + entrySize * file.getShort(0x3e);
      int names = Math.toIntExact(file.getLong(namesAt + 0x18));
      for (int i = 0; i < count; i++) {
        int at = table + entrySize * i;
        if (hasName(elf, names + file.getInt(at), name)) {
          int offset = Math.toIntExact(file.getLong(at + 0x18));
          int size = Math.toIntExact(file.getLong(at + 0x20));
          return file.slice(offset, size).order(ByteOrder.LITTLE_ENDIAN);
        }
      }
      throw new IllegalArgumentException("no section " + name);
    }

    private static boolean hasName(byte[] elf, int at, String name) {
      byte[] wanted = (name + "\0").getBytes(StandardCharsets.UTF_8);
      return at + wanted.length <= elf.length
          && ByteBuffer.wrap(elf, at, wanted.length).equals(ByteBuffer.wrap(wanted));
    }
  }
}
