// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench;

/** What is measured. The order is the one of tables and colours. */
public enum Peer {
  /** A connection to the endpoint itself: what the kernel costs without any Service. */
  DIRECT("direct"),
  /** The same once more, to see what noise does. */
  DIRECT_AGAIN("direct, again"),
  /** A connection to the endpoint itself, with connection tracking. */
  CONNTRACK("conntrack only"),
  /** The least that programs on the hooks of a cgroup cost. */
  NO_OP("no-op program"),
  /** Maps written from C, in batches: what the control plane costs without Java. */
  C_LOADER("C loader"),
  /** Patchbay as it is installed. */
  PATCHBAY("Patchbay"),
  /** Patchbay, built otherwise or with other options; the row says how. */
  PATCHBAY_VARIANT("Patchbay, variant"),
  /** kube-proxy with nftables. */
  NFTABLES("kube-proxy nftables"),
  /** kube-proxy with iptables. */
  IPTABLES("kube-proxy iptables");

  private final String title;

  Peer(String title) {
    this.title = title;
  }

  /** Its name for people. */
  public String title() {
    return title;
  }
}
