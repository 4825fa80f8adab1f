// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.model;

import java.util.Objects;
import java.util.Optional;

/**
 * A range of addresses of one family.
 *
 * @param first the first address; all bits behind the prefix are zero
 * @param prefixLength in bits of the family: 0 to 32, or 0 to 128
 */
public record Cidr(IpAddress first, int prefixLength) {
  public Cidr {
    if (prefixLength < 0 || prefixLength > bits(first.family())) {
      throw new IllegalArgumentException("prefix length " + prefixLength + " of " + first);
    }
    if (!mask(first, prefixLength).equals(first)) {
      throw new IllegalArgumentException(
          first + "/" + prefixLength + " has bits set behind its prefix");
    }
  }

  /**
   * Reads {@code ADDRESS/LENGTH}, both without leading zeros; empty if malformed or if bits behind
   * the prefix are set.
   */
  public static Optional<Cidr> parse(String text) {
    return read(text).filter(r -> mask(r.address, r.length).equals(r.address)).map(Parsed::range);
  }

  /**
   * Reads {@code ADDRESS/LENGTH}, both without leading zeros, as kube-proxy reads its settings:
   * bits behind the prefix may be set and do not count, so {@code 10.0.0.5/8} is {@code
   * 10.0.0.0/8}. Empty if malformed.
   */
  public static Optional<Cidr> parseMasked(String text) {
    return read(text).map(Parsed::range);
  }

  private record Parsed(IpAddress address, int length) {
    Cidr range() {
      return new Cidr(mask(address, length), length);
    }
  }

  private static Optional<Parsed> read(String text) {
    int slash = text.indexOf('/');
    if (slash < 0 || !text.substring(slash + 1).matches("0|[1-9][0-9]{0,2}")) {
      return Optional.empty();
    }
    int length = Integer.parseInt(text.substring(slash + 1));
    return IpAddress.parse(text.substring(0, slash))
        .filter(a -> length <= bits(a.family()))
        .map(a -> new Parsed(a, length));
  }

  public IpFamily family() {
    return first.family();
  }

  public boolean contains(IpAddress address) {
    return address.family() == family() && mask(address, prefixLength).equals(first);
  }

  /** Number of bits behind the prefix. */
  public int hostBits() {
    return bits(family()) - prefixLength;
  }

  /**
   * The address {@code offset} places after the first.
   *
   * @param offset 0 or more, less than 2^min(hostBits, 62)
   * @throws IndexOutOfBoundsException if it is not
   */
  public IpAddress at(long offset) {
    Objects.checkIndex(offset, 1L << Math.min(hostBits(), 62));
    long low = first.low() + offset;
    long carry = Long.compareUnsigned(low, first.low()) < 0 ? 1 : 0;
    return new IpAddress(first.high() + carry, low);
  }

  private static int bits(IpFamily family) {
    return family == IpFamily.IPV4 ? 32 : 128;
  }

  private static IpAddress mask(IpAddress address, int length) {
    int bits = address.family() == IpFamily.IPV4 ? 96 + length : length;
    long high = bits >= 64 ? -1L : bits == 0 ? 0 : -1L << (64 - bits);
    long low = bits <= 64 ? 0 : bits == 128 ? -1L : -1L << (128 - bits);
    return new IpAddress(address.high() & high, address.low() & low);
  }

  @Override
  public String toString() {
    return first + "/" + prefixLength;
  }
}
