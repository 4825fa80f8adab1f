// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IpAddressTest {
  private static byte[] bytes(IpAddress address) {
    return ByteBuffer.allocate(16).putLong(address.high()).putLong(address.low()).array();
  }

  /** What the JDK makes of a literal: its bytes, IPv4 in mapped form. */
  private static byte[] jdkBytes(String literal) {
    byte[] raw = InetAddress.ofLiteral(literal).getAddress();
    if (raw.length == 16) {
      return raw;
    }
    return ByteBuffer.allocate(16).putShort(10, (short) -1).put(12, raw).array();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "0.0.0.0",
        "255.255.255.255",
        "10.96.0.1",
        "127.0.0.1",
        "::",
        "::1",
        "1::",
        "fd00:10:96::a",
        "2001:db8::1:0:0:1",
        "1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7::",
        "::2:3:4:5:6:7:8",
        "::1.2.3.4",
        "64:ff9b::192.0.2.33",
        "1:2:3:4:5:6:1.2.3.4",
        "FD00::ABCD",
        "0001:0::00ff",
        "0:0:0:0:0:0:0:0",
        "::fffe:1.2.3.4",
        "::ffff:0:1.2.3.4"
      })
  void readsWhatTheJdkReads(String text) {
    assertThat(bytes(IpAddress.of(text))).isEqualTo(jdkBytes(text));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "1",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.",
        ".1.2.3",
        "1..2.3",
        "256.1.1.1",
        "1.2.3.999",
        "01.2.3.4",
        "1.2.3.04",
        "00.0.0.0",
        "1.2.3.4 ",
        " 1.2.3.4",
        "1.2.3.4/24",
        "+1.2.3.4",
        "1.2.3.-4",
        "0x1.2.3.4",
        "1.2.3.a",
        "10.96.1",
        "\u0663.1.1.1",
        ":",
        ":::",
        "1:",
        ":1",
        "1:2",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1::2::3",
        "1:::2",
        "1:2:3:4:5:6:7:8::",
        "::1:2:3:4:5:6:7:8",
        "1:2:3:4::5:6:7:8",
        "12345::",
        "g::",
        "::%lo",
        "fe80::1%eth0",
        "[::1]",
        "::1/128",
        "::1 ",
        ":1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7:8:",
        "::1.2.3",
        "::1.2.3.4.5",
        "::01.2.3.4",
        "::1.2.3.4:5",
        "1.2.3.4::",
        "1.2.3.4::1",
        "1:1.2.3.4::1",
        "1.2.3.4:5:6:7:8:9:a",
        "1:2:3:4:5:6:7:1.2.3.4",
        "1:2:3:4:5:6::1.2.3.4",
        "::ffff:1.2.3.4",
        "::ffff:102:304",
        "0:0:0:0:0:ffff:a:b",
        "::-1",
        "::+1",
        "\u0663::"
      })
  void refusesWhatIsNoStrictAddress(String text) {
    assertThat(IpAddress.parse(text)).isEmpty();
    assertThatThrownBy(() -> IpAddress.of(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("\"" + text + "\"");
  }

  @ParameterizedTest
  @CsvSource({
    "0:0:0:0:0:0:0:0, ::",
    "0:0:0:0:0:0:0:1, ::1",
    "1:0:0:0:0:0:0:0, 1::",
    "2001:db8:0:0:0:0:2:1, 2001:db8::2:1",
    "2001:DB8::0001, 2001:db8::1",
    "2001:db8:0:1:1:1:1:1, 2001:db8:0:1:1:1:1:1",
    "2001:db8::1:1:1:1:1, 2001:db8:0:1:1:1:1:1",
    "2001:0:0:1:0:0:0:1, 2001:0:0:1::1",
    "2001:db8:0:0:1:0:0:1, 2001:db8::1:0:0:1",
    "0:0:1:0:0:1:0:0, ::1:0:0:1:0:0",
    "1:0:0:2:3:4:0:0, 1::2:3:4:0:0",
    "1:2:3:4:5:6:0:0, 1:2:3:4:5:6::",
    "1:2:3:4:5:6:7:0, 1:2:3:4:5:6:7:0",
    "0:2:3:4:5:6:7:8, 0:2:3:4:5:6:7:8",
    "::1.2.3.4, ::102:304"
  })
  void writesTheFormOfRfc5952(String text, String canonical) {
    assertThat(IpAddress.of(text)).hasToString(canonical);
  }

  @Test
  void ipv4IsKeptInMappedForm() {
    assertThat(IpAddress.of("10.96.0.1")).isEqualTo(new IpAddress(0, 0xffff_0a60_0001L));
    assertThat(IpAddress.of("10.96.0.1").family()).isEqualTo(IpFamily.IPV4);
    assertThat(IpAddress.of("::1").family()).isEqualTo(IpFamily.IPV6);
    assertThat(IpAddress.of("::fffe:a60:1").family()).isEqualTo(IpFamily.IPV6);
    assertThat(IpAddress.of("1::ffff:a60:1").family()).isEqualTo(IpFamily.IPV6);
  }

  @Test
  void portsFollowBrackets() {
    assertThat(IpAddress.of("10.0.0.1").withPort(80)).isEqualTo("10.0.0.1:80");
    assertThat(IpAddress.of("fd00::1").withPort(80)).isEqualTo("[fd00::1]:80");
  }

  @Property
  void textIsReadBack(@ForAll("addresses") IpAddress address) {
    assertThat(IpAddress.parse(address.toString())).contains(address);
  }

  @Property
  void textMeansTheSameToTheJdk(@ForAll("addresses") IpAddress address) {
    assertThat(jdkBytes(address.toString())).isEqualTo(bytes(address));
  }

  @Property
  void whatTheJdkWritesIsRead(@ForAll("addresses") IpAddress address) throws UnknownHostException {
    InetAddress jdk = InetAddress.getByAddress(bytes(address));
    assertThat(IpAddress.parse(jdk.getHostAddress())).contains(address);
  }

  /** Strings that look like addresses: what is accepted must mean the same to the JDK. */
  @Property(tries = 5000)
  void neverReadsOtherBytesThanTheJdk(@ForAll("almostAddresses") String text) {
    Optional<IpAddress> ours = IpAddress.parse(text);
    ours.ifPresent(address -> assertThat(bytes(address)).as(text).isEqualTo(jdkBytes(text)));
  }

  @Property
  void orderIsThatOfTheBytes(@ForAll("addresses") IpAddress a, @ForAll("addresses") IpAddress b) {
    int expected = new BigInteger(1, bytes(a)).compareTo(new BigInteger(1, bytes(b)));
    assertThat(Integer.signum(a.compareTo(b))).isEqualTo(expected);
  }

  @Provide
  static Arbitrary<IpAddress> addresses() {
    Arbitrary<Integer> group =
        Arbitraries.frequencyOf(
            Tuple.of(3, Arbitraries.just(0)),
            Tuple.of(2, Arbitraries.integers().between(0, 0xffff)));
    Arbitrary<IpAddress> ipv6 =
        group
            .list()
            .ofSize(8)
            .map(
                groups -> {
                  ByteBuffer buffer = ByteBuffer.allocate(16);
                  groups.forEach(g -> buffer.putShort((short) (int) g));
                  return new IpAddress(buffer.getLong(0), buffer.getLong(8));
                });
    return Arbitraries.oneOf(Arbitraries.integers().map(IpAddress::ofIpv4), ipv6);
  }

  @Provide
  static Arbitrary<String> almostAddresses() {
    Arbitrary<String> piece =
        Arbitraries.of(
            List.of(
                "0", "1", "01", "25", "255", "256", "ff", "FFFF", "12345", ".", ".", ":", "::",
                "ffff", "1.2.3.4", "0.0.0.0", "ffff:", "1:", "2:", "0:", "1.", "2."));
    Arbitrary<String> pieces = piece.list().ofMinSize(1).ofMaxSize(12).map(l -> String.join("", l));
    Arbitrary<String> damaged =
        Combinators.combine(
                addresses().map(IpAddress::toString),
                Arbitraries.integers().between(0, 40),
                Arbitraries.of("", "0", ":", ".", "::", "1", "1.2.3.4", "%", "/"))
            .as(
                (text, at, insert) -> {
                  int cut = Math.min(at, text.length());
                  return text.substring(0, cut) + insert + text.substring(cut);
                });
    return Arbitraries.oneOf(pieces, damaged);
  }

  @ParameterizedTest
  @CsvSource({
    "0.0.0.0, unspecified",
    "::, unspecified",
    "127.0.0.1, loopback",
    "127.255.255.255, loopback",
    "126.255.255.255, ordinary",
    "128.0.0.0, ordinary",
    "::1, loopback",
    "::2, ordinary",
    "223.255.255.255, ordinary",
    "224.0.0.1, multicast",
    "239.255.255.255, multicast",
    "240.0.0.0, ordinary",
    "ff02::1, multicast",
    "fe80::1, ordinary",
    "0.0.0.1, ordinary",
  })
  void kindsOfAddresses(String text, String kind) {
    IpAddress address = IpAddress.of(text);
    assertThat(address.isUnspecified()).isEqualTo(kind.equals("unspecified"));
    assertThat(address.isLoopback()).isEqualTo(kind.equals("loopback"));
    assertThat(address.isMulticast()).isEqualTo(kind.equals("multicast"));
  }
}
