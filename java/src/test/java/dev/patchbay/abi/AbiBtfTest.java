// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.abi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.patchbay.abi.AbiComparison.JavaSide;
import dev.patchbay.bindings.abi.Abi;
import dev.patchbay.table.Scope;
import dev.patchbay.table.ServiceWord;
import java.io.IOException;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.Method;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** {@code abi.h} as the C compiler, jextract and the codecs see it. */
final class AbiBtfTest {
  private static final Path ROOT = Path.of(System.getProperty("patchbay.root", ".."));

  /** Structs that only programs read and write: their bytes have no order in Java. */
  private static final Set<String> WITHOUT_CODEC = Set.of("pb_affinity_key", "pb_affinity");

  private final Btf.Description btf =
      Btf.read(Files.readAllBytes(ROOT.resolve("bpf/.output/abi.bpf.o")));
  private final JavaSide java = javaSide();

  AbiBtfTest() throws Exception {}

  private static JavaSide javaSide() throws Exception {
    Map<String, StructLayout> layouts = new HashMap<>();
    Path generated = ROOT.resolve("native/generated/dev/patchbay/bindings/abi");
    try (Stream<Path> files = Files.list(generated)) {
      for (String name : files.map(file -> file.getFileName().toString()).toList()) {
        if (name.startsWith("pb_")) {
          String struct = name.replace(".java", "");
          Class<?> type = Class.forName("dev.patchbay.bindings.abi." + struct);
          layouts.put(struct, (StructLayout) type.getMethod("layout").invoke(null));
        }
      }
    }
    Set<String> coded = new TreeSet<>();
    for (StructLayout layout : AbiLayouts.all()) {
      coded.add(layout.name().orElseThrow());
      layouts.put(layout.name().orElseThrow(), layout);
    }
    Map<String, Long> constants = new HashMap<>();
    for (Method method : Abi.class.getMethods()) {
      if (method.getName().startsWith("PB_")) {
        constants.put(method.getName(), ((Integer) method.invoke(null)).longValue());
      }
    }
    return new JavaSide(layouts, coded, constants);
  }

  @Test
  void cAndJavaAgree() {
    assertThat(AbiComparison.differences(btf, java)).isEmpty();
  }

  @Test
  void bothSawAllThatTheHeaderDefines() throws IOException {
    String header = Files.readString(ROOT.resolve("bpf/include/abi.h"));
    Set<String> structs = matches(header, "(?m)^struct (pb_\\w+) \\{");
    Set<String> constants = matches(header, "(?m)^\\t(PB_\\w+) = ");
    assertThat(structs).hasSizeGreaterThanOrEqualTo(6).isEqualTo(java.layouts().keySet());
    assertThat(constants).hasSizeGreaterThanOrEqualTo(28).isEqualTo(java.constants().keySet());
    assertThat(btf.structs().keySet()).containsAll(structs);
    assertThat(btf.constants().keySet()).containsAll(constants);
  }

  @Test
  void everyStructHasACodecOrIsKnownToHaveNone() {
    Set<String> all = new TreeSet<>(java.coded());
    all.addAll(WITHOUT_CODEC);
    assertThat(all).isEqualTo(java.layouts().keySet());
    assertThat(java.coded()).doesNotContainAnyElementsOf(WITHOUT_CODEC);
  }

  @Test
  void tablesAgreeWithTheHeader() {
    assertThat(new ServiceWord(0xabcdef, 0x1234, 0x56789a).pack())
        .isEqualTo(
            0x56789aL << (Abi.PB_WORD_BASE_BITS() + Abi.PB_WORD_COUNT_BITS())
                | 0x1234L << Abi.PB_WORD_BASE_BITS()
                | 0xabcdefL);
    assertThat(Abi.PB_WORD_BASE_BITS() + Abi.PB_WORD_COUNT_BITS() + Abi.PB_WORD_GENERATION_BITS())
        .isEqualTo(Long.SIZE);
    assertThat(ServiceWord.MAX_COUNT).isEqualTo((1 << Abi.PB_WORD_COUNT_BITS()) - 1);
    assertThat(Stream.of(Scope.values()).map(FrontendKeyCodec::number)).containsExactly(0, 1);
    assertThat(Stream.of(CounterIndex.values()).map(CounterIndex::index))
        .doesNotHaveDuplicates()
        .hasSize(CounterIndex.count())
        .allMatch(index -> index >= 0 && index < CounterIndex.count());
  }

  @Test
  void everyKindOfDifferenceIsSeen() {
    assertSeen(
        "pb_frontend: size",
        editStruct("pb_frontend", s -> new Btf.Struct(s.name(), 12, s.members())));
    assertSeen(
        "pb_service.flags: offset",
        editMember("pb_service", "flags", m -> new Btf.Member(m.name(), 20, m.width(), 1, false)));
    assertSeen(
        "pb_backend.flags: width",
        editMember("pb_backend", "flags", m -> new Btf.Member(m.name(), 18, 4, 1, false)));
    assertSeen(
        "pb_backend.address: elements",
        editMember("pb_backend", "address", m -> new Btf.Member(m.name(), 0, 1, 4, false)));
    assertSeen(
        "pb_backend.port: network order",
        editMember("pb_backend", "port", m -> new Btf.Member(m.name(), 16, 2, 1, false)));
    assertSeen(
        "pb_frontend.service: network order",
        editMember("pb_frontend", "service", m -> new Btf.Member(m.name(), 0, 4, 1, true)));
    assertSeen(
        "pb_event.address: offset",
        editMember("pb_event", "address", m -> new Btf.Member(m.name(), 76, 1, 16, false)));
    assertSeen(
        "pb_frontend.index: only in C",
        editMember("pb_frontend", "service", m -> new Btf.Member("index", 0, 4, 1, false)));
  }

  @Test
  void extrasOnEitherSideAreSeen() {
    Map<String, Btf.Struct> more = new HashMap<>(btf.structs());
    more.put("pb_new", new Btf.Struct("pb_new", 4, List.of()));
    assertSeen("struct pb_new: only in C", new Btf.Description(more, btf.constants()));
    Map<String, Btf.Struct> fewer = new HashMap<>(btf.structs());
    fewer.remove("pb_affinity");
    assertSeen("struct pb_affinity: only in Java", new Btf.Description(fewer, btf.constants()));
    Map<String, Long> constants = new HashMap<>(btf.constants());
    constants.put("PB_NEW", 1L);
    constants.remove("PB_COUNTERS");
    constants.put("PB_SCOPE_EXTERNAL", 2L);
    Btf.Description changed = new Btf.Description(btf.structs(), constants);
    assertSeen("constant PB_NEW 1 in C, null in Java", changed);
    assertSeen("constant PB_COUNTERS null in C, 13 in Java", changed);
    assertSeen("constant PB_SCOPE_EXTERNAL 2 in C, 1 in Java", changed);
  }

  @Test
  void aWrongLayoutIsSeen() {
    Map<String, StructLayout> layouts = new HashMap<>(java.layouts());
    layouts.put(
        "pb_frontend",
        MemoryLayout.structLayout(
            ValueLayout.JAVA_INT.withName("service").withOrder(ByteOrder.BIG_ENDIAN),
            MemoryLayout.paddingLayout(4),
            ValueLayout.JAVA_INT.withName("extra")));
    List<String> differences =
        AbiComparison.differences(btf, new JavaSide(layouts, java.coded(), java.constants()));
    assertThat(differences)
        .contains(
            "pb_frontend: size 8 in C, 12",
            "pb_frontend: padding that no member names",
            "pb_frontend.service: network order false in C, true in Java",
            "pb_frontend.flags: only in C",
            "pb_frontend.extra: only in Java");
  }

  @Test
  void anObjectWithoutBtfIsRefused() {
    assertThatIllegalArgumentException().isThrownBy(() -> Btf.read(new byte[100]));
  }

  private void assertSeen(String start, Btf.Description changed) {
    assertThat(AbiComparison.differences(changed, java))
        .anyMatch(difference -> difference.startsWith(start));
  }

  private Btf.Description editStruct(String name, UnaryOperator<Btf.Struct> edit) {
    Map<String, Btf.Struct> structs = new HashMap<>(btf.structs());
    structs.computeIfPresent(name, (key, struct) -> edit.apply(struct));
    return new Btf.Description(structs, btf.constants());
  }

  private Btf.Description editMember(String struct, String member, UnaryOperator<Btf.Member> edit) {
    return editStruct(
        struct,
        s -> {
          List<Btf.Member> members = new ArrayList<>(s.members());
          members.replaceAll(m -> m.name().equals(member) ? edit.apply(m) : m);
          return new Btf.Struct(s.name(), s.size(), members);
        });
  }

  private static Set<String> matches(String text, String regex) {
    return Pattern.compile(regex)
        .matcher(text)
        .results()
        .map(result -> result.group(1))
        .collect(Collectors.toCollection(TreeSet::new));
  }
}
