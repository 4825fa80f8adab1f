// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab.cluster;

import java.util.Locale;

/** How kube-proxy programs the kernel. */
public enum ProxyMode {
  /** Through nftables. */
  NFTABLES,
  /** Through iptables. */
  IPTABLES;

  /** As kube-proxy calls it. */
  String option() {
    return name().toLowerCase(Locale.ROOT);
  }
}
