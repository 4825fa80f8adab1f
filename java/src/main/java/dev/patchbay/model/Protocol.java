// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.model;

import java.util.Locale;

/** A transport protocol that a Service port can name. */
public enum Protocol {
  TCP(6),
  UDP(17),
  SCTP(132);

  private final int number;

  Protocol(int number) {
    this.number = number;
  }

  /** The IANA protocol number, as in the IP header and in {@code IPPROTO_*}. */
  public int number() {
    return number;
  }

  /** {@code tcp}, {@code udp}, {@code sctp}. */
  public String lowerCase() {
    return name().toLowerCase(Locale.ROOT);
  }
}
