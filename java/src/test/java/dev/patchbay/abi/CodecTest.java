// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.abi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.bindings.abi.Abi;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.Protocol;
import dev.patchbay.observe.BindConflict;
import dev.patchbay.observe.ConnectionEvent;
import dev.patchbay.observe.ConnectionEvent.Caller;
import dev.patchbay.observe.ConnectionEvent.Kind;
import dev.patchbay.observe.ServiceStats;
import dev.patchbay.observe.StaleSocket;
import dev.patchbay.table.Backend;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.FrontendValue;
import dev.patchbay.table.Scope;
import dev.patchbay.table.ServiceSettings;
import dev.patchbay.table.ServiceWord;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Optional;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** Bytes are written out, as C would see them on a little-endian machine. */
final class CodecTest {
  @AutoClose private final Arena arena = Arena.ofConfined();

  private static byte[] hex(String text) {
    return HexFormat.of().parseHex(text.replace(" ", ""));
  }

  private MemorySegment bytes(String text) {
    byte[] bytes = hex(text);
    MemorySegment segment = arena.allocate(bytes.length, Long.BYTES);
    segment.copyFrom(MemorySegment.ofArray(bytes));
    return segment;
  }

  private static String written(MemorySegment segment, long at, int size) {
    return HexFormat.of().formatHex(segment.asSlice(at, size).toArray(ValueLayout.JAVA_BYTE));
  }

  private void assertKey(FrontendKey key, String expected) {
    MemorySegment segment = arena.allocate(60, Long.BYTES).fill((byte) 0xee);
    FrontendKeyCodec.encode(key, segment, 20);
    assertThat(written(segment, 20, 20)).isEqualTo(expected.replace(" ", ""));
    assertThat(written(segment, 0, 20) + written(segment, 40, 20)).matches("(ee)+");
    assertThat(FrontendKeyCodec.decode(segment, 20)).contains(key);
  }

  @Test
  void frontendKeys() {
    assertKey(
        new FrontendKey(IpAddress.of("10.96.0.1"), 8080, Protocol.TCP, Scope.INTERNAL),
        "00000000 00000000 0000ffff 0a600001 1f90 06 00");
    assertKey(
        new FrontendKey(IpAddress.of("fd00::ab"), 65535, Protocol.UDP, Scope.EXTERNAL),
        "fd000000 00000000 00000000 000000ab ffff 11 01");
    assertKey(
        FrontendKey.wildcard(IpAddress.of("10.96.0.1")),
        "00000000 00000000 0000ffff 0a600001 0000 00 00");
  }

  @Test
  void foreignFrontendKeysAreEmpty() {
    String address = "00000000000000000000ffff0a600001";
    for (String rest : new String[] {"0050 84 00", "0050 06 02", "0050 00 00", "0000 06 00"}) {
      assertThat(FrontendKeyCodec.decode(bytes(address + rest), 0)).as(rest).isEmpty();
    }
  }

  @Property
  void anyKeyBytesDecodeToNothingOrToThemselves(@ForAll @Size(20) byte[] bytes) {
    MemorySegment segment = MemorySegment.ofArray(bytes);
    Optional<FrontendKey> key = FrontendKeyCodec.decode(segment, 0);
    if (key.isPresent()) {
      byte[] again = new byte[20];
      FrontendKeyCodec.encode(key.get(), MemorySegment.ofArray(again), 0);
      assertThat(again).isEqualTo(bytes);
    }
  }

  @Test
  void frontendValues() {
    assertValue(new FrontendValue.ToService(0), "00000000 00000000");
    assertValue(new FrontendValue.ToService(0x01020304), "04030201 00000000");
    assertValue(FrontendValue.REFUSE, "00000000 01000000");
    assertValue(FrontendValue.NODE_ADDRESS, "00000000 02000000");
    assertValue(new FrontendValue.Foreign(5, 1), "05000000 01000000");
    assertValue(new FrontendValue.Foreign(-1, 0), "ffffffff 00000000");
    assertValue(new FrontendValue.Foreign(0, 0x80), "00000000 80000000");
  }

  private void assertValue(FrontendValue value, String expected) {
    MemorySegment segment = arena.allocate(8, Long.BYTES);
    FrontendValueCodec.encode(value, segment, 0);
    assertThat(written(segment, 0, 8)).isEqualTo(expected.replace(" ", ""));
    assertThat(FrontendValueCodec.decode(segment, 0)).isEqualTo(value);
  }

  @Test
  void backends() {
    MemorySegment segment = arena.allocate(72, Long.BYTES).fill((byte) 0xee);
    Backend backend = new Backend(IpAddress.of("10.1.0.7"), 8081);
    BackendCodec.encode(backend, segment, 24);
    assertThat(written(segment, 24, 24))
        .isEqualTo("00000000000000000000ffff0a010007" + "1f91" + "0000" + "00000000");
    assertThat(written(segment, 0, 24) + written(segment, 48, 24)).matches("(ee)+");
    assertThat(BackendCodec.decode(segment, 24)).isEqualTo(backend);
    assertThat(BackendCodec.decode(segment, 0).port()).isEqualTo(0xeeee);
  }

  @Test
  void services() {
    MemorySegment segment = arena.allocate(96, Long.BYTES);
    assertThat(ServiceCodec.isUsed(segment, 32)).isFalse();
    ServiceWord word = new ServiceWord(0x010203, 0x0405, 0x060708);
    ServiceSettings settings = new ServiceSettings(10800, true, true, true, 0x0102030405060708L);
    ServiceCodec.publish(segment, 32, word, settings);
    assertThat(written(segment, 32, 32))
        .isEqualTo(
            "0302010504080706" + "0807060504030201" + "0f000000" + "302a0000" + "0000000000000000");
    assertThat(written(segment, 0, 32) + written(segment, 64, 32)).matches("(00)+");
    assertThat(ServiceCodec.isUsed(segment, 32)).isTrue();
    assertThat(ServiceCodec.word(segment, 32)).isEqualTo(word);
    assertThat(ServiceCodec.settings(segment, 32)).contains(settings);
  }

  @Test
  void serviceFlags() {
    assertThat(flags(ServiceSettings.NONE)).isZero();
    assertThat(flags(new ServiceSettings(1, false))).isEqualTo(1);
    assertThat(flags(new ServiceSettings(0, true))).isEqualTo(2);
    assertThat(flags(new ServiceSettings(0, false, true, false, 0))).isEqualTo(4);
    assertThat(flags(new ServiceSettings(0, false, false, true, 0))).isEqualTo(8);
  }

  private int flags(ServiceSettings settings) {
    MemorySegment segment = arena.allocate(32, Long.BYTES);
    ServiceCodec.publish(segment, 0, ServiceWord.NONE, settings);
    return segment.get(ValueLayout.JAVA_INT, 16);
  }

  private static final String RESERVED = "0000000000000000";

  @Test
  void foreignSettingsAreEmpty() {
    String word = "0000000000000000 0000000000000000";
    for (String rest :
        new String[] {
          "00000000 01000000", // seconds without the flag
          "01000000 00000000", // the flag without seconds
          "01000000 81510100", // 86401 seconds
          "01000000 ffffffff",
          "10000000 00000000", // a flag of another version
        }) {
      assertThat(ServiceCodec.settings(bytes(word + rest + RESERVED), 0)).as(rest).isEmpty();
      assertThat(ServiceCodec.isUsed(bytes(word + rest + RESERVED), 0)).as(rest).isTrue();
    }
  }

  @Property
  void anySettingsBytesDecode(
      @ForAll @Size(16) byte[] bytes, @ForAll @IntRange(max = 15) int flags) {
    MemorySegment segment = MemorySegment.ofArray(new long[4]);
    MemorySegment.copy(bytes, 0, segment, ValueLayout.JAVA_BYTE, 8, 16);
    segment.set(ValueLayout.JAVA_INT, 16, flags);
    ServiceCodec.settings(segment, 0)
        .ifPresent(
            settings -> {
              MemorySegment again = MemorySegment.ofArray(new long[4]);
              ServiceCodec.publish(again, 0, ServiceWord.NONE, settings);
              assertThat(again.mismatch(segment)).isEqualTo(-1);
            });
  }

  private static final String EVENT =
      "0100000000000080 0200000000000000 0300000000000000"
          + "0400000000000000 0000000000000000 0000000000000000"
          + "01000000 07000000 d2040000 d3040000"
          + "6e63617400000000 78780000 00000000 000000000000000000 00ffff0a000001"
          + "00000000000000000000000000000000 00000000000000000000000000000000"
          + "7530 0000 0000 06 02 6200 000000000000";

  @Test
  void refusedBinds() {
    MemorySegment segment = bytes("eeeeeeee" + EVENT);
    assertThat(EventCodec.SIZE).isEqualTo(144);
    assertThat(EventCodec.bindConflict(segment, 4))
        .contains(
            new BindConflict(
                Long.MIN_VALUE + 1,
                IpAddress.of("10.0.0.1"),
                30000,
                Protocol.TCP,
                7,
                1234,
                1235,
                "ncat",
                2,
                3));
    segment.set(ValueLayout.JAVA_BYTE, 4 + 134, (byte) 17);
    assertThat(EventCodec.bindConflict(segment, 4).orElseThrow().protocol())
        .isEqualTo(Protocol.UDP);
  }

  @Test
  void namesOfThreadsDoNoHarmInALog() {
    MemorySegment segment = bytes(EVENT);
    MemorySegment.copy(
        MemorySegment.ofArray("a\nb\u001b[0m c\u00e9\u2028zzz".getBytes(StandardCharsets.UTF_8)),
        0,
        segment,
        64,
        16);
    assertThat(EventCodec.bindConflict(segment, 0).orElseThrow().command())
        .isEqualTo("a?b?[0m c??zz");
  }

  private static final String STALE =
      "0100000000000080 0200000000000000 03000ef0 04000000"
          + "00000000000000000000ffff0a000001 00000000000000000000ffff0a010007"
          + "fd000000000000000000000000000010 9c40 1f91 0035 11 0a";

  @Test
  void staleSockets() {
    MemorySegment segment = bytes("eeeeeeee" + STALE);
    assertThat(StaleSocketCodec.SIZE).isEqualTo(80);
    assertThat(StaleSocketCodec.decode(segment, 4))
        .contains(
            new StaleSocket(
                Long.MIN_VALUE + 1,
                2,
                0xf00e0003L,
                4,
                IpAddress.of("10.0.0.1"),
                40000,
                IpAddress.of("10.1.0.7"),
                8081,
                IpAddress.of("fd00::10"),
                53,
                Protocol.UDP,
                true));
    segment.set(ValueLayout.JAVA_BYTE, 4 + 79, (byte) 2);
    segment.set(ValueLayout.JAVA_BYTE, 4 + 78, (byte) 6);
    StaleSocket tcp = StaleSocketCodec.decode(segment, 4).orElseThrow();
    assertThat(tcp.inet6()).isFalse();
    assertThat(tcp.protocol()).isEqualTo(Protocol.TCP);
    segment.set(ValueLayout.JAVA_BYTE, 4 + 78, (byte) 1);
    assertThat(StaleSocketCodec.decode(segment, 4)).isEmpty();
  }

  @Test
  void listsOfStaleSockets() {
    String head = "0200000000000000" + "ee".repeat(72);
    MemorySegment list = bytes(head + STALE + STALE + STALE);
    assertThat(StaleSocketCodec.list(list)).hasSize(2).containsOnly(decoded(list));
    StaleSocketCodec.clearList(list, 500);
    assertThat(written(list, 0, 24)).isEqualTo("0000000000000000f401000000000000" + "ee".repeat(8));
    assertThat(StaleSocketCodec.list(list)).isEmpty();
  }

  private static StaleSocket decoded(MemorySegment list) {
    return StaleSocketCodec.decode(list, 80).orElseThrow();
  }

  @Test
  void otherEventsAreNoRefusedBinds() {
    for (int[] change : new int[][] {{48, 2}, {134, 1}, {128, 0}}) {
      MemorySegment segment = bytes(EVENT);
      segment.set(ValueLayout.JAVA_BYTE, change[0], (byte) change[1]);
      segment.set(ValueLayout.JAVA_BYTE, change[0] == 128 ? 129 : 143, (byte) 0);
      assertThat(EventCodec.bindConflict(segment, 0)).as("byte " + change[0]).isEmpty();
    }
  }

  @Test
  void connections() {
    MemorySegment segment = bytes("eeeeeeee" + EVENT);
    set(segment, 4 + 24, "0900000000000000"); // socket
    set(segment, 4 + 32, "0a00000000000000"); // stats
    set(segment, 4 + 40, "0b00000000000000"); // duration
    set(segment, 4 + 96, "00000000000000000000ffff0a010001"); // backend
    set(segment, 4 + 112, "00000000000000000000ffff0a010002"); // client
    set(segment, 4 + 130, "1f90c350"); // ports of both
    set(segment, 4 + 136, "6f00"); // error
    Kind[] kinds = {Kind.CONNECT, Kind.SEND, Kind.REFUSED, Kind.ESTABLISHED, Kind.FAILED};
    for (int number = 2; number <= 6; number++) {
      Kind kind = kinds[number - 2];
      segment.set(ValueLayout.JAVA_BYTE, 4 + 48, (byte) number);
      assertThat(EventCodec.connection(segment, 4))
          .contains(
              new ConnectionEvent(
                  kind,
                  Long.MIN_VALUE + 1,
                  9,
                  10,
                  11,
                  kind == Kind.ESTABLISHED ? null : new Caller(1234, "ncat", 2),
                  Protocol.TCP,
                  IpAddress.of("10.0.0.1"),
                  30000,
                  kind == Kind.REFUSED ? null : IpAddress.of("10.1.0.1"),
                  8080,
                  IpAddress.of("10.1.0.2"),
                  50000,
                  3,
                  111));
    }
    for (int other : new int[] {0, 1, 7}) {
      segment.set(ValueLayout.JAVA_BYTE, 4 + 48, (byte) other);
      assertThat(EventCodec.connection(segment, 4)).as("kind %d", other).isEmpty();
    }
  }

  private static void set(MemorySegment segment, long at, String hex) {
    byte[] value = HexFormat.of().parseHex(hex);
    MemorySegment.copy(MemorySegment.ofArray(value), 0, segment, at, value.length);
  }

  @Test
  void rangesOfTimeAreThoseOfThePrograms() {
    assertThat(ServiceStats.RANGES).isEqualTo(Abi.PB_LATENCY_RANGES());
    assertThat(ServiceStats.rangeNanos(0)).isEqualTo(16_000);
    assertThat(ServiceStats.rangeNanos(8)).isEqualTo(1_048_576_000);
  }
}
