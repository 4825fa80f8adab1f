// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench.programming;

import dev.patchbay.bench.Goal;

/** What the control plane is to reach, with 10,000 Services of 10 endpoints unless it says else. */
final class ProgrammingGoals {
  static final Goal LOAD = Goal.atMost("C1", "full load", "C loader", 10, 3);
  static final Goal LOAD_IPTABLES =
      Goal.atLeast("C2", "full load, times faster", "iptables-restore", 30, 100);
  static final Goal LOAD_NFTABLES = Goal.atLeast("C2", "full load, times faster", "nft", 150, 500);
  static final Goal CHANGE = Goal.atMost("C3", "one endpoint changed, p50", "C loader", 50, 10);
  static final Goal CHANGE_IPTABLES =
      Goal.atLeast(
          "C4", "one endpoint changed, p99, times faster", "kube-proxy iptables", 500, 10_000);
  static final Goal CHANGE_NFTABLES =
      Goal.atLeast(
          "C4", "one endpoint changed, p99, times faster", "kube-proxy nftables", 50, 1_000);
  static final Goal GROWTH =
      Goal.atMost("C5", "one endpoint changed, p50", "with 1,000 Services", 1.2, 1.05);
  static final Goal SUSTAINED =
      Goal.atLeast("C6", "sustained changes", "kube-proxy nftables", 200, 2_000);
  static final Goal BATCH_CALL =
      Goal.atMost("C7", "a batch call", "the same call from C", 1.5, 1.1);
  static final Goal OBEYED =
      Goal.atLeast(
          "C8",
          "change to the first connection that obeys, p99, times sooner",
          "kube-proxy iptables",
          20,
          200);
  static final Goal KERNEL_IPTABLES =
      Goal.atMost("C9", "kernel memory", "kube-proxy iptables", 1.0 / 20, 1.0 / 50);
  static final Goal KERNEL_NFTABLES =
      Goal.atMost("C9", "kernel memory", "kube-proxy nftables", 1.0 / 10, 1.0 / 20);
  static final Goal PEAK =
      Goal.atMost("C10", "resident memory at most", "iptables-restore", 0.6, 0.3);
  static final Goal RESTART_IPTABLES =
      Goal.atLeast("C11", "restart over pinned maps, times faster", "iptables-restore", 5, 15);
  static final Goal RESTART_NFTABLES =
      Goal.atLeast("C11", "restart over pinned maps, times faster", "nft", 20, 60);
  static final Goal AOT = Goal.atMost("C12", "start with an AOT cache", "without one", 0.7, 0.58);
  static final Goal FAILURES =
      Goal.atMost("C13", "connections that failed while endpoints changed and it restarted", "", 0);
  static final Goal RECONCILE =
      Goal.atMost("C14", "time per Service, 50,000 Services of 1 endpoint", "", 14);

  static final Goal CHANGE_P99 = Goal.atMost("P1", "one endpoint changed, p99", "", 1);
  static final Goal OBEYED_P99 =
      Goal.atMost("P2", "commit to the first connection that obeys, p99", "", 5);
  static final Goal CHANGE_CPU =
      Goal.atMost("P3", "processor time per change", "kube-proxy, the better mode", 0.01);
  static final Goal HUGE_START = Goal.atMost("P4", "cold start, 100,000 Services", "", 15);
  static final Goal HUGE_CHANGE_P99 =
      Goal.atMost("P4", "one endpoint changed, p99, 100,000 Services", "", 2);
  static final Goal COLD_START = Goal.atMost("P5", "cold start from the API server", "", 3);
  static final Goal COLD_START_MANIFESTS = Goal.atMost("P5", "cold start from manifests", "", 2);
  static final Goal EMPTY_START = Goal.atMost("P5", "start without Services", "", 0.6);
  static final Goal RESIDENT =
      Goal.atMost("P6", "resident and kernel memory", "kube-proxy iptables", 1);
  static final Goal IDLE =
      Goal.atMost("P6", "processor time when idle", "kube-proxy, the better mode", 1);

  private ProgrammingGoals() {}
}
