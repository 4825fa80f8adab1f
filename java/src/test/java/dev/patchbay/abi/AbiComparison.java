// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.abi;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.PaddingLayout;
import java.lang.foreign.SequenceLayout;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Compares what C and Java make of {@code abi.h}, in both directions. */
final class AbiComparison {
  /**
   * The Java side.
   *
   * @param layouts by the name of the struct; those with a codec as the codec sees them
   * @param coded structs with a codec, whose byte order matters
   * @param constants by name
   */
  record JavaSide(
      Map<String, StructLayout> layouts, Set<String> coded, Map<String, Long> constants) {}

  private final Btf.Description btf;
  private final JavaSide java;
  private final List<String> differences = new ArrayList<>();

  private AbiComparison(Btf.Description btf, JavaSide java) {
    this.btf = btf;
    this.java = java;
  }

  /** One line for each difference. */
  static List<String> differences(Btf.Description btf, JavaSide java) {
    AbiComparison comparison = new AbiComparison(btf, java);
    comparison.structs();
    comparison.constants();
    return comparison.differences;
  }

  private void structs() {
    Set<String> names = new TreeSet<>(java.layouts().keySet());
    btf.structs().keySet().stream().filter(name -> name.startsWith("pb_")).forEach(names::add);
    for (String name : names) {
      Btf.Struct struct = btf.structs().get(name);
      StructLayout layout = java.layouts().get(name);
      if (struct == null || layout == null) {
        differences.add("struct " + name + ": only in " + (struct == null ? "Java" : "C"));
      } else {
        if (struct.size() != layout.byteSize()) {
          differences.add(name + ": size " + struct.size() + " in C, " + layout.byteSize());
        }
        members(struct, layout);
      }
    }
  }

  private void members(Btf.Struct struct, StructLayout layout) {
    Set<String> names = new TreeSet<>();
    for (MemoryLayout member : layout.memberLayouts()) {
      if (member instanceof PaddingLayout) {
        differences.add(struct.name() + ": padding that no member names");
      } else {
        names.add(member.name().orElseThrow());
      }
    }
    for (Btf.Member member : struct.members()) {
      String at = struct.name() + "." + member.name();
      if (!names.remove(member.name())) {
        differences.add(at + ": only in C");
        continue;
      }
      PathElement path = PathElement.groupElement(member.name());
      same(at + ": offset", (long) member.offset(), layout.byteOffset(path));
      MemoryLayout whole = layout.select(path);
      MemoryLayout element = whole instanceof SequenceLayout s ? s.elementLayout() : whole;
      long count = whole instanceof SequenceLayout s ? s.elementCount() : 1;
      same(at + ": elements", (long) member.count(), count);
      same(at + ": width", (long) member.width(), element.byteSize());
      if (java.coded().contains(struct.name()) && member.width() > 1) {
        boolean bigEndian = ((ValueLayout) element).order() == ByteOrder.BIG_ENDIAN;
        same(at + ": network order", member.networkOrder(), bigEndian);
      }
    }
    names.forEach(name -> differences.add(struct.name() + "." + name + ": only in Java"));
  }

  private void constants() {
    Set<String> names = new TreeSet<>(java.constants().keySet());
    btf.constants().keySet().stream().filter(name -> name.startsWith("PB_")).forEach(names::add);
    for (String name : names) {
      same("constant " + name, btf.constants().get(name), java.constants().get(name));
    }
  }

  private void same(String what, @Nullable Object c, @Nullable Object javaValue) {
    if (!Objects.equals(c, javaValue)) {
      differences.add(what + " " + c + " in C, " + javaValue + " in Java");
    }
  }
}
