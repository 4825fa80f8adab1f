// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench.dataplane;

/** What a load does; {@code load.c} describes each. */
enum Kind {
  /** Connect, ask, get the answer, close. */
  CRR("crr", "connect", "TCP connect, request, close", "connect()", 100),
  /** Requests over one connection. */
  RR("rr", "TCP request", "TCP request over an open connection", "round trip", 1000),
  /** Requests over a connected socket. */
  UDP("udp", "UDP", "UDP request, connected socket", "round trip", 1000),
  /** Requests over a socket that is not connected. */
  UDP_TO("udpto", "UDP unconnected", "UDP request, unconnected socket", "round trip", 1000),
  /** Two requests over a new connected socket, as glibc asks a DNS server. */
  DNS("dns", "DNS", "DNS-shaped: new connected socket for two requests", "both requests", 100),
  /** Two requests over a new socket that is not connected, as musl asks a DNS server. */
  DNS_TO(
      "dnsto",
      "DNS unconnected",
      "DNS-shaped: new unconnected socket for two requests",
      "both requests",
      100),
  /** Transfer of 1 MiB over an open connection. */
  BULK("bulk", "bulk", "bulk transfer, 1 MiB", "MiB", 10);

  private final String option;
  private final String label;
  private final String title;
  private final String timed;
  private final int slice;

  Kind(String option, String label, String title, String timed, int slice) {
    this.option = option;
    this.label = label;
    this.title = title;
    this.timed = timed;
    this.slice = slice;
  }

  /** As the load generator calls it. */
  String option() {
    return option;
  }

  /** For people, in a word or two. */
  String label() {
    return label;
  }

  /** For people. */
  String title() {
    return title;
  }

  /** What latencies are those of. */
  String timed() {
    return timed;
  }

  /** How many operations a slice has. */
  int slice() {
    return slice;
  }
}
