// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CidrTest {
  private static BigInteger number(IpAddress address) {
    return new BigInteger(
        1, ByteBuffer.allocate(16).putLong(address.high()).putLong(address.low()).array());
  }

  private static IpAddress address(BigInteger number) {
    return new IpAddress(number.shiftRight(64).longValue(), number.longValue());
  }

  private static Cidr cidr(String text) {
    return Cidr.parse(text).orElseThrow();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "10.96.0.0/16",
        "0.0.0.0/0",
        "10.0.0.1/32",
        "::/0",
        "fd00:10:96::/112",
        "fd00::1/128",
        "128.0.0.0/1",
        "8000::/1",
        "1:2:3:4::/64",
        "1:2:3:4:8000::/65"
      })
  void textIsReadBack(String text) {
    assertThat(Cidr.parse(text)).get().hasToString(text);
  }

  @ParameterizedTest
  @CsvSource({
    "10.0.0.5/8, 10.0.0.0/8",
    "10.0.0.0/8, 10.0.0.0/8",
    "255.255.255.255/0, 0.0.0.0/0",
    "fd00::1/64, fd00::/64"
  })
  void bitsBehindThePrefixDoNotCountWhereThatIsAsked(String text, String range) {
    assertThat(Cidr.parseMasked(text)).get().hasToString(range);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "10.0.0.5", "10.0.0.5/33", "10.0.0.05/8", "10.0.0.5/08", "x/8"})
  void whatIsNoRangeIsNoneWithBitsMaskedEither(String text) {
    assertThat(Cidr.parseMasked(text)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "10.96.0.0",
        "10.96.0.0/",
        "/16",
        "10.96.0.0/33",
        "10.96.0.1/16",
        "10.96.0.0/-1",
        "10.96.0.0/+8",
        "10.96.0.0/016",
        "10.96.0.0/00",
        "10.96.0.0/16/16",
        "10.96.0.0/ 16",
        "10.96/16",
        "::/129",
        "fd00::1/64",
        "fd00::/999",
        "fd00::/1000",
        "::ffff:0:0/96",
        "10.96.0.0/255.255.0.0",
        "10.96.0.0/\u0661"
      })
  void refusesWhatIsNoRange(String text) {
    assertThat(Cidr.parse(text)).isEmpty();
  }

  @Test
  void constructorRefusesTheSame() {
    IpAddress address = IpAddress.of("10.96.0.1");
    assertThatThrownBy(() -> new Cidr(address, 16)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Cidr(address, 33)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Cidr(address, -1)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void containsOnlyItsOwnFamily() {
    assertThat(cidr("::/0").contains(IpAddress.of("10.0.0.1"))).isFalse();
    assertThat(cidr("0.0.0.0/0").contains(IpAddress.of("::1"))).isFalse();
    assertThat(cidr("0.0.0.0/0").contains(IpAddress.of("255.255.255.255"))).isTrue();
  }

  @Test
  void addressesByOffset() {
    assertThat(cidr("10.96.0.0/16").at(0)).hasToString("10.96.0.0");
    assertThat(cidr("10.96.0.0/16").at(65535)).hasToString("10.96.255.255");
    assertThat(cidr("fd00::/16").at((1L << 62) - 1)).hasToString("fd00::3fff:ffff:ffff:ffff");
    assertThat(cidr("10.0.0.1/32").at(0)).hasToString("10.0.0.1");
  }

  @Test
  void offsetsBeyondTheRangeAreRefused() {
    assertThatThrownBy(() -> cidr("10.96.0.0/16").at(65536))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> cidr("10.96.0.0/16").at(-1))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> cidr("10.0.0.1/32").at(1))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> cidr("fd00::/16").at(1L << 62))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Property
  void containsWhatANaiveComparisonOfBitsContains(
      @ForAll("cidrs") Cidr cidr,
      @ForAll("addresses") IpAddress other,
      @ForAll @IntRange(max = 127) int flip) {
    IpAddress neighbour = address(number(cidr.first()).flipBit(flip));
    for (IpAddress address : new IpAddress[] {other, neighbour, cidr.first()}) {
      boolean expected =
          address.family() == cidr.family()
              && number(address)
                  .shiftRight(cidr.hostBits())
                  .equals(number(cidr.first()).shiftRight(cidr.hostBits()));
      assertThat(cidr.contains(address)).as("%s in %s", address, cidr).isEqualTo(expected);
    }
  }

  @Property
  void atCountsFromTheFirst(
      @ForAll("cidrs") Cidr cidr, @ForAll @LongRange(max = Long.MAX_VALUE) long any) {
    long offset = any & ((1L << Math.min(cidr.hostBits(), 62)) - 1);
    assertThat(number(cidr.at(offset)))
        .isEqualTo(number(cidr.first()).add(BigInteger.valueOf(offset)));
  }

  @Property
  void textOfAnyRangeIsReadBack(@ForAll("cidrs") Cidr cidr) {
    assertThat(Cidr.parse(cidr.toString())).contains(cidr);
  }

  @Provide
  Arbitrary<IpAddress> addresses() {
    return IpAddressTest.addresses();
  }

  @Provide
  Arbitrary<Cidr> cidrs() {
    return Combinators.combine(addresses(), Arbitraries.integers().between(0, 128))
        .as(
            (any, length) -> {
              int bits = any.family() == IpFamily.IPV4 ? 32 : 128;
              int host = bits - Math.min(length, bits);
              IpAddress first = address(number(any).shiftRight(host).shiftLeft(host));
              return new Cidr(first, bits - host);
            });
  }
}
