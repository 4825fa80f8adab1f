// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.model.Cidr;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import org.jspecify.annotations.Nullable;

/** Reads addresses, with a reason for each one refused. */
final class Addresses {
  private static final String UNSPECIFIED = "the unspecified address";
  private static final String MULTICAST = "a multicast address";

  private Addresses() {}

  /** Reads an address; reports and returns null if it is none. */
  static @Nullable IpAddress read(Fields fields, String path, String text) {
    IpAddress address = IpAddress.parse(text).orElse(null);
    if (address == null) {
      fields.error(path, "\"" + text + "\" is not an IP address" + hint(text));
    }
    return address;
  }

  /**
   * Reads the address of an endpoint, which must be one that another host could have: the rule of
   * the API server for Endpoints and EndpointSlices.
   */
  static @Nullable IpAddress readEndpoint(Fields fields, String path, String text) {
    return readOrdinary(fields, path, text, "an endpoint");
  }

  /** Reads an external IP, for which the API server has the same rule. */
  static @Nullable IpAddress readExternal(Fields fields, String path, String text) {
    return readOrdinary(fields, path, text, "an external IP");
  }

  /**
   * Reads an address of a Node or of a load balancer. The API server takes any; those that stand
   * for no host or for many cannot be served.
   */
  static @Nullable IpAddress readServed(Fields fields, String path, String text) {
    IpAddress address = read(fields, path, text);
    String special = address == null ? "" : special(address);
    if (!special.equals(UNSPECIFIED) && !special.equals(MULTICAST)) {
      return address;
    }
    fields.error(path, address + " is " + special + ", which cannot be served");
    return null;
  }

  /** Reads a range of addresses; reports and returns null if it is none. */
  static @Nullable Cidr readRange(Fields fields, String path, String text) {
    Cidr range = Cidr.parse(text).orElse(null);
    if (range == null) {
      fields.error(
          path,
          "\""
              + text
              + "\" is not a range of addresses such as 192.0.2.0/24, with no bit set behind the"
              + " prefix");
    }
    return range;
  }

  private static @Nullable IpAddress readOrdinary(
      Fields fields, String path, String text, String what) {
    IpAddress address = read(fields, path, text);
    String special = address == null ? "" : special(address);
    if (special.isEmpty()) {
      return address;
    }
    fields.error(path, address + " is " + special + ", which cannot be " + what);
    return null;
  }

  /** Leading zeros are the one mistake that looks right. */
  private static String hint(String text) {
    StringBuilder without = new StringBuilder();
    for (String octet : text.split("\\.", -1)) {
      without.append(without.isEmpty() ? "" : ".").append(octet.replaceFirst("^0+(?=[0-9])", ""));
    }
    boolean zeros = !without.toString().equals(text);
    return zeros && IpAddress.parse(without.toString()).isPresent()
        ? ": an octet begins with 0; is " + without + " meant?"
        : "";
  }

  private static String special(IpAddress address) {
    if (address.family() == IpFamily.IPV4) {
      int bits = (int) address.low();
      if (bits == 0) {
        return UNSPECIFIED;
      }
      int first = bits >>> 24;
      if (first == 127) {
        return "a loopback address";
      }
      if (bits >>> 16 == (169 << 8 | 254)) {
        return "a link-local address";
      }
      return first >= 224 && first < 240 ? MULTICAST : "";
    }
    if (address.high() == 0 && address.low() <= 1 && address.low() >= 0) {
      return address.low() == 0 ? UNSPECIFIED : "a loopback address";
    }
    int first = (int) (address.high() >>> 48);
    if ((first & 0xffc0) == 0xfe80) {
      return "a link-local address";
    }
    return first >>> 8 == 0xff ? MULTICAST : "";
  }
}
