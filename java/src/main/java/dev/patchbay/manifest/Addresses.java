// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import org.jspecify.annotations.Nullable;

/** Reads addresses, with a reason for each one refused. */
final class Addresses {
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
    IpAddress address = read(fields, path, text);
    if (address == null) {
      return null;
    }
    String special = special(address);
    if (special.isEmpty()) {
      return address;
    }
    fields.error(path, address + " is " + special + ", which cannot be an endpoint");
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
        return "the unspecified address";
      }
      int first = bits >>> 24;
      if (first == 127) {
        return "a loopback address";
      }
      if (bits >>> 16 == (169 << 8 | 254)) {
        return "a link-local address";
      }
      return first >= 224 && first < 240 ? "a multicast address" : "";
    }
    if (address.high() == 0 && address.low() <= 1 && address.low() >= 0) {
      return address.low() == 0 ? "the unspecified address" : "a loopback address";
    }
    int first = (int) (address.high() >>> 48);
    if ((first & 0xffc0) == 0xfe80) {
      return "a link-local address";
    }
    return first >>> 8 == 0xff ? "a multicast address" : "";
  }
}
