// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.model;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * An IPv4 or IPv6 address in one 128-bit form: IPv4 is kept as its v4-mapped IPv6 address, {@code
 * ::ffff:a.b.c.d}, exactly as the BPF maps hold it.
 *
 * <p>Order is that of the 16 bytes in network order, unsigned; so all IPv4 addresses are adjacent.
 *
 * @param high the first eight bytes, network order, as one big-endian number
 * @param low the last eight bytes, network order, as one big-endian number
 */
public record IpAddress(long high, long low) implements Comparable<IpAddress> {
  private static final long MAPPED_PREFIX = 0x0000_ffff_0000_0000L;

  /** The IPv4 address with these 32 bits, the first octet in the most significant byte. */
  public static IpAddress ofIpv4(int bits) {
    return new IpAddress(0, MAPPED_PREFIX | Integer.toUnsignedLong(bits));
  }

  /** {@code 0.0.0.0} or {@code ::}. */
  public static IpAddress unspecified(IpFamily family) {
    return family == IpFamily.IPV4 ? ofIpv4(0) : new IpAddress(0, 0);
  }

  /** Whether it is in 127.0.0.0/8, or {@code ::1}. */
  public boolean isLoopback() {
    return high == 0 && (low == 1 || low >>> 24 == (MAPPED_PREFIX >>> 24 | 127));
  }

  /** Whether it is in 224.0.0.0/4 or ff00::/8. */
  public boolean isMulticast() {
    return family() == IpFamily.IPV4 ? (low >>> 28 & 0xf) == 0xe : high >>> 56 == 0xff;
  }

  /** Whether it is {@code 0.0.0.0} or {@code ::}. */
  public boolean isUnspecified() {
    return high == 0 && (low == 0 || low == MAPPED_PREFIX);
  }

  /**
   * Reads an address in textual form. Strict, as in the Kubernetes API since 1.33: no leading zeros
   * in IPv4 octets, no zone, no prefix length, no white space, no IPv4-mapped IPv6 form.
   *
   * @return empty if {@code text} is not such an address
   */
  public static Optional<IpAddress> parse(String text) {
    return text.indexOf(':') < 0 ? parseIpv4(text) : parseIpv6(text);
  }

  /**
   * Reads an address that is known to be well-formed.
   *
   * @throws IllegalArgumentException if it is not
   */
  public static IpAddress of(String text) {
    return parse(text)
        .orElseThrow(() -> new IllegalArgumentException("not an IP address: \"" + text + "\""));
  }

  /** {@link IpFamily#IPV4} for a v4-mapped address, else {@link IpFamily#IPV6}. */
  public IpFamily family() {
    return high == 0 && (low & 0xffff_ffff_0000_0000L) == MAPPED_PREFIX
        ? IpFamily.IPV4
        : IpFamily.IPV6;
  }

  @Override
  public int compareTo(IpAddress other) {
    int byHigh = Long.compareUnsigned(high, other.high);
    return byHigh != 0 ? byHigh : Long.compareUnsigned(low, other.low);
  }

  // Written out, like those of all keys: what a record is given runs through method handles, which
  // cost a start with many keys a good part of its time.
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof IpAddress address && low == address.low && high == address.high;
  }

  @Override
  public int hashCode() {
    return Long.hashCode(31 * high + low);
  }

  /** The address followed by {@code :port}, an IPv6 address in brackets. */
  public String withPort(int port) {
    return family() == IpFamily.IPV4 ? this + ":" + port : "[" + this + "]:" + port;
  }

  /** The canonical text: dotted decimal, or IPv6 as in RFC 5952. */
  @Override
  public String toString() {
    return family() == IpFamily.IPV4 ? ipv4Text() : ipv6Text();
  }

  private String ipv4Text() {
    int bits = (int) low;
    return (bits >>> 24)
        + "."
        + (bits >>> 16 & 255)
        + "."
        + (bits >>> 8 & 255)
        + "."
        + (bits & 255);
  }

  private int group(int index) {
    long half = index < 4 ? high : low;
    return (int) (half >>> (48 - 16 * (index & 3))) & 0xffff;
  }

  private String ipv6Text() {
    int zerosFrom = -1;
    int zerosLength = 1; // a single zero group is not shortened
    for (int i = 0; i < 8; i++) {
      int end = i;
      while (end < 8 && group(end) == 0) {
        end++;
      }
      if (end - i > zerosLength) {
        zerosFrom = i;
        zerosLength = end - i;
      }
      i = Math.max(i, end - 1);
    }
    StringBuilder text = new StringBuilder(39);
    for (int i = 0; i < 8; i++) {
      if (i == zerosFrom) {
        text.append("::");
        i += zerosLength - 1;
      } else {
        if (!text.isEmpty() && text.charAt(text.length() - 1) != ':') {
          text.append(':');
        }
        text.append(Integer.toHexString(group(i)));
      }
    }
    return text.toString();
  }

  private static Optional<IpAddress> parseIpv4(String text) {
    int bits = 0;
    int octets = 0;
    int at = 0;
    while (octets < 4) {
      int start = at;
      int value = 0;
      while (at < text.length() && at - start < 3 && isDigit(text.charAt(at))) {
        value = value * 10 + (text.charAt(at++) - '0');
      }
      boolean leadingZero = at - start > 1 && text.charAt(start) == '0';
      if (at == start || leadingZero || value > 255) {
        return Optional.empty();
      }
      bits = bits << 8 | value;
      octets++;
      if (octets < 4 && (at >= text.length() || text.charAt(at++) != '.')) {
        return Optional.empty();
      }
    }
    return at == text.length() ? Optional.of(ofIpv4(bits)) : Optional.empty();
  }

  private static boolean isDigit(char c) {
    return c >= '0' && c <= '9';
  }

  private static Optional<IpAddress> parseIpv6(String text) {
    int gap = text.indexOf("::");
    if (gap >= 0 && text.indexOf("::", gap + 1) >= 0) {
      return Optional.empty();
    }
    int[] groups = new int[8];
    int headCount;
    if (gap < 0) {
      headCount = parseGroups(text, groups, true);
      if (headCount != 8) {
        return Optional.empty();
      }
    } else {
      headCount = gap == 0 ? 0 : parseGroups(text.substring(0, gap), groups, false);
      String tail = text.substring(gap + 2);
      int[] tailGroups = new int[8];
      int tailCount = tail.isEmpty() ? 0 : parseGroups(tail, tailGroups, true);
      if (headCount < 0 || tailCount < 0 || headCount + tailCount > 7) {
        return Optional.empty();
      }
      System.arraycopy(tailGroups, 0, groups, 8 - tailCount, tailCount);
    }
    long high = 0;
    long low = 0;
    for (int i = 0; i < 4; i++) {
      high = high << 16 | groups[i];
      low = low << 16 | groups[i + 4];
    }
    IpAddress address = new IpAddress(high, low);
    return address.family() == IpFamily.IPV6 ? Optional.of(address) : Optional.empty();
  }

  /**
   * Reads colon-separated groups; returns their number, or -1 if malformed.
   *
   * @param last whether the address ends here, so that the last two groups may be dotted decimal
   */
  private static int parseGroups(String text, int[] into, boolean last) {
    int count = 0;
    int start = 0;
    while (true) {
      int end = text.indexOf(':', start);
      String part = end < 0 ? text.substring(start) : text.substring(start, end);
      if (last && end < 0 && part.indexOf('.') >= 0) {
        Optional<IpAddress> ipv4 = parseIpv4(part);
        if (ipv4.isEmpty() || count > 6) {
          return -1;
        }
        into[count++] = (int) (ipv4.get().low >>> 16) & 0xffff;
        into[count++] = (int) ipv4.get().low & 0xffff;
        return count;
      }
      if (part.isEmpty() || part.length() > 4 || count == 8) {
        return -1;
      }
      int value = 0;
      for (int i = 0; i < part.length(); i++) {
        int digit = part.charAt(i) < 128 ? Character.digit(part.charAt(i), 16) : -1;
        if (digit < 0) {
          return -1;
        }
        value = value << 4 | digit;
      }
      into[count++] = value;
      if (end < 0) {
        return count;
      }
      start = end + 1;
    }
  }
}
