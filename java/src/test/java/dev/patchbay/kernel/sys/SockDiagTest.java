// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel.sys;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.model.IpAddress;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** Bytes are written out, as C would see them on a little-endian machine. */
final class SockDiagTest {
  @AutoClose private final Arena arena = Arena.ofConfined();

  private String request(int sequence, SockDiag.SocketId id) {
    MemorySegment segment = arena.allocate(2L * SockDiag.REQUEST_SIZE, 4).fill((byte) 0xee);
    SockDiag.putDestroy(segment, SockDiag.REQUEST_SIZE, sequence, id);
    assertThat(hex(segment.asSlice(0, SockDiag.REQUEST_SIZE))).matches("(ee)+");
    return hex(segment.asSlice(SockDiag.REQUEST_SIZE));
  }

  private static String hex(MemorySegment segment) {
    return HexFormat.of().formatHex(segment.toArray(ValueLayout.JAVA_BYTE));
  }

  private static final String HEADER = "48000000 1500 0100 07000000 00000000";
  private static final String ALL_STATES = "00 00 ffffffff";

  private static void assertBytes(String actual, String... expected) {
    assertThat(actual).isEqualTo(String.join("", expected).replace(" ", ""));
  }

  @Test
  void ipv4() {
    assertBytes(
        request(
            7,
            new SockDiag.SocketId(
                false,
                17,
                IpAddress.of("10.0.0.1"),
                40000,
                IpAddress.of("10.1.0.7"),
                53,
                0,
                0x0102030405060708L)),
        HEADER,
        "02 11",
        ALL_STATES,
        "9c40 0035 0a000001 000000000000000000000000 0a010007 000000000000000000000000",
        "00000000 08070605 04030201");
  }

  @Test
  void ipv6AndMapped() {
    assertBytes(
        request(
            7,
            new SockDiag.SocketId(
                true, 6, IpAddress.of("fd00::1"), 1, IpAddress.of("10.1.0.7"), 65535, 3, 9)),
        HEADER,
        "0a 06",
        ALL_STATES,
        "0001 ffff fd000000000000000000000000000001 00000000000000000000ffff0a010007",
        "03000000 09000000 00000000");
  }

  @Test
  void withoutACookieAnySocketOfThatNameIsMeant() {
    IpAddress address = IpAddress.of("10.0.0.1");
    assertThat(request(7, new SockDiag.SocketId(false, 17, address, 1, address, 1, 0, 0)))
        .endsWith("00000000" + "ffffffffffffffff");
  }

  private List<String> errors(String... messages) {
    byte[] bytes = HexFormat.of().parseHex(String.join("", messages).replace(" ", ""));
    MemorySegment segment = arena.allocate(Math.max(1, bytes.length), 4);
    segment.copyFrom(MemorySegment.ofArray(bytes));
    List<String> errors = new ArrayList<>();
    SockDiag.errors(
        segment.asSlice(0, bytes.length), (sequence, errno) -> errors.add(sequence + ":" + errno));
    return errors;
  }

  @Test
  void errorsAreReadWithWhatTheyAnswer() {
    String refused = "14000000 0200 0000 05000000 00000000 feffffff"; // -ENOENT
    String done = "14000000 0200 0000 06000000 00000000 00000000";
    String other = "14000000 1400 0000 07000000 00000000 ffffffff";
    assertThat(errors(refused, done, other, refused.replace("0500", "0800")))
        .containsExactly("5:2", "8:2");
    assertThat(errors()).isEmpty();
    assertThat(errors("03000000 0200 0000 05000000 00000000 feffffff")).isEmpty();
    assertThat(errors(refused.substring(0, 28))).isEmpty();
  }
}
