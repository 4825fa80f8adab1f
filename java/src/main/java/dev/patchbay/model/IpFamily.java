// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.model;

/** An Internet Protocol version, spelled as in the Kubernetes API ({@code IPv4}, {@code IPv6}). */
public enum IpFamily {
  IPV4("IPv4"),
  IPV6("IPv6");

  private final String text;

  IpFamily(String text) {
    this.text = text;
  }

  @Override
  public String toString() {
    return text;
  }
}
