// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab;

/** An address family, and how the lab numbers things in it. */
public enum Family {
  /** IPv4. */
  IPV4("10.244.", "10.96.0.", "192.0.2.", 16),
  /** IPv6. The numbers of addresses are written in decimal digits, to be told apart by people. */
  IPV6("fd00:10:244::", "fd00:10:96::", "2001:db8::", 64);

  private final String pods;
  private final String services;
  private final String outside;
  private final int prefix;

  Family(String pods, String services, String outside, int prefix) {
    this.pods = pods;
    this.services = services;
    this.outside = outside;
    this.prefix = prefix;
  }

  /** The number in names of sockets: 4 or 6. */
  public int number() {
    return this == IPV4 ? 4 : 6;
  }

  /** Address of a namespace, 1 to 9999, in the range that all namespaces share. */
  String pod(int number) {
    return this == IPV4 ? pods + (number >> 8) + "." + (number & 255) : pods + number;
  }

  /** The range of the namespaces, as {@code address/length}. */
  public String podRange() {
    return this == IPV4 ? pods + "0.0/" + prefix : pods + "/" + prefix;
  }

  /** The range of the Services that a cluster in the lab has, as {@code address/length}. */
  public String serviceRange() {
    return this == IPV4 ? services + "0/16" : services + "/112";
  }

  /** Prefix length of the range of the namespaces. */
  int prefix() {
    return prefix;
  }

  /** An address in the range of the Services, 1 to 254; a route to it exists nowhere. */
  public String service(int number) {
    return services + number;
  }

  /** An address that is neither a Pod's nor a Service's; a place has it when told so. */
  public String outside(int number) {
    return outside + number;
  }

  /** The range of {@link #outside}, as {@code address/length}. */
  String outsideRange() {
    return outside(0) + (this == IPV4 ? "/24" : "/64");
  }

  /** {@code address:port}, as in a URL. */
  public static String hostPort(String address, int port) {
    return address.contains(":") ? "[" + address + "]:" + port : address + ":" + port;
  }
}
