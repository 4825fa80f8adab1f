// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import dev.patchbay.model.Cidr;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import java.net.InetAddress;
import java.util.Optional;

/**
 * Reads addresses as kube-proxy does ({@code ParseIPSloppy}), because old objects and hand-written
 * ones have them: IPv4 octets with leading zeros, which are decimal, and IPv4-mapped IPv6
 * addresses, which are IPv4.
 *
 * @param address what the text means
 * @param canonical whether it is written as the API wants it today
 */
record LenientAddress(IpAddress address, boolean canonical) {
  /** Empty if the text is no address by any reading. */
  static Optional<LenientAddress> parse(String text) {
    Optional<IpAddress> strict = IpAddress.parse(text);
    if (strict.isPresent()) {
      return Optional.of(new LenientAddress(strict.get(), true));
    }
    Optional<IpAddress> lenient = text.indexOf(':') < 0 ? decimal(text) : mapped(text);
    return lenient.map(address -> new LenientAddress(address, false));
  }

  /**
   * Reads {@code ADDRESS/LENGTH}; bits behind the prefix are cleared.
   *
   * @return empty if the text is no range
   */
  static Optional<Cidr> parseCidr(String text) {
    int slash = text.indexOf('/');
    if (slash < 0 || !text.substring(slash + 1).matches("[0-9]{1,3}")) {
      return Optional.empty();
    }
    int length = Integer.parseInt(text.substring(slash + 1));
    Optional<LenientAddress> base = parse(text.substring(0, slash));
    if (base.isEmpty()) {
      return Optional.empty();
    }
    IpAddress address = base.get().address;
    if (address.family() == IpFamily.IPV4 && text.indexOf(':') >= 0) {
      length -= 96; // the length counts the bits of the IPv6 form
    }
    int bits = address.family() == IpFamily.IPV4 ? 32 : 128;
    return length < 0 || length > bits
        ? Optional.empty()
        : Optional.of(new Cidr(masked(address, 128 - bits + length), length));
  }

  private static IpAddress masked(IpAddress address, int length) {
    long high = length >= 64 ? -1L : length == 0 ? 0 : -1L << (64 - length);
    long low = length <= 64 ? 0 : length == 128 ? -1L : -1L << (128 - length);
    return new IpAddress(address.high() & high, address.low() & low);
  }

  private static Optional<IpAddress> decimal(String text) {
    String[] octets = text.split("\\.", -1);
    if (octets.length != 4) {
      return Optional.empty();
    }
    int bits = 0;
    for (String octet : octets) {
      if (!octet.matches("0*[0-9]{1,3}")) {
        return Optional.empty();
      }
      String digits = octet.replaceFirst("^0+(?=[0-9])", "");
      int value = Integer.parseInt(digits);
      if (value > 255) {
        return Optional.empty();
      }
      bits = (bits << 8) | value;
    }
    return Optional.of(IpAddress.ofIpv4(bits));
  }

  private static Optional<IpAddress> mapped(String text) {
    if (text.indexOf('%') >= 0 || text.indexOf('[') >= 0) {
      return Optional.empty();
    }
    try {
      byte[] octets = InetAddress.ofLiteral(text).getAddress();
      int bits = 0;
      for (byte octet : octets) {
        bits = (bits << 8) | (octet & 0xff);
      }
      return octets.length == 4 ? Optional.of(IpAddress.ofIpv4(bits)) : Optional.empty();
    } catch (IllegalArgumentException _) {
      return Optional.empty();
    }
  }
}
