// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench.dataplane;

import dev.patchbay.bench.Goal;
import java.util.List;

/** What the data plane is to reach. */
final class DataGoals {
  private static final String DIRECT = "direct";
  private static final String NFTABLES = "kube-proxy nftables";
  private static final String IPTABLES = "kube-proxy iptables";

  static final Goal D1 =
      Goal.atMost("D1", "connection to one Service of 10,000, everything on", DIRECT, 1.03, 1.02);
  static final Goal D1_ONE_WAY =
      Goal.atMost(
          "D1", "the same without reverse translation, nor what needs it", DIRECT, 1.02, 1.01);
  static final Goal D1_LARGE =
      Goal.atMost("D1", "connection to one Service of 100,000", DIRECT, 1.05);
  static final Goal D2 =
      Goal.atMost(
          "D2",
          "connection to a random Service of 10,000",
          "direct to the same random endpoints",
          1.03,
          1.015);
  static final Goal D3 =
      Goal.atMost("D3", "connection at 10,000 Services", "the same at 10", 1.01, 1.005);
  static final Goal D4_FIXED =
      Goal.atLeast("D4", "connections a second, one Service", NFTABLES, 1.15, 1.20);
  static final Goal D4_RANDOM =
      Goal.atLeast("D4", "connections a second, random Service", NFTABLES, 1.15, 1.20);
  static final Goal D5_WORST =
      Goal.atLeast("D5", "connections a second, last rule", IPTABLES, 1.9, 2.0);
  static final Goal D5_RANDOM =
      Goal.atLeast("D5", "connections a second, random Service", IPTABLES, 1.5, 1.6);
  static final Goal D6_MEDIAN = Goal.atMost("D6", "connect() p50", DIRECT, 1.03, 1.01);
  static final Goal D6_TAIL = Goal.atMost("D6", "connect() p99", DIRECT, 1.10);
  static final Goal D7 = Goal.atMost("D7", "request over an open connection", DIRECT, 1.005, 1.002);
  static final Goal D7_PEER =
      Goal.atMost("D7", "request over an open connection", NFTABLES, 0.92, 0.90);
  static final Goal D8 = Goal.atMost("D8", "processor time per Gbit, bulk", DIRECT, 1.05, 1.02);
  static final Goal D8_PEER =
      Goal.atMost("D8", "processor time per Gbit, bulk", IPTABLES, 0.97, 0.92);
  static final Goal D9 =
      Goal.atMost("D9", "connection to no Service, 10,000 loaded", DIRECT, 1.01, 1.005);
  static final Goal D9_PEER =
      Goal.atMost("D9", "connection to no Service, 10,000 loaded", IPTABLES, 0.55, 0.51);
  static final Goal D10 =
      Goal.atMost(
          "D10",
          "run of the connect program beyond that of a no-op, one Service, % of a direct connect()",
          "",
          1.5,
          0.7);
  static final Goal D11 =
      Goal.atMost(
          "D11", "connection with reverse translation and session affinity", DIRECT, 1.04, 1.025);
  static final Goal D12 =
      Goal.atMost("D12", "connect() p99.9 at 1,000 updates a second", "without updates", 1.3, 1.1);
  static final Goal EVENTS =
      Goal.atMost(
          "EV", "connection while nobody watches", "programs without the hooks for it", 1.01);
  static final Goal NOISE =
      Goal.atMost("A/A", "direct beside direct: how far its median is from 1, in %", "", 1.0);
  static final Goal SLOWED =
      Goal.atLeast(
          "SLOW",
          "Patchbay, deliberately slowed by 5 us: lower end of its interval",
          "itself",
          1.0);

  /** Is to be exceeded by both modes at every size. */
  static final Goal SLOWER =
      Goal.atLeast("PEERS", "connection through kube-proxy", "Patchbay at the same size", 1.0);

  /** The committed counts are of one kernel and compiler; another may differ a little. */
  static final Goal VERIFIED =
      Goal.atMost(
          "VERIFY", "instructions that the verifier looked at", "the committed baseline", 1.1);

  /** All of them. */
  static final List<Goal> ALL =
      List.of(
          D1,
          D1_ONE_WAY,
          D1_LARGE,
          D2,
          D3,
          D4_FIXED,
          D4_RANDOM,
          D5_WORST,
          D5_RANDOM,
          D6_MEDIAN,
          D6_TAIL,
          D7,
          D7_PEER,
          D8,
          D8_PEER,
          D9,
          D9_PEER,
          D10,
          D11,
          D12,
          EVENTS,
          NOISE,
          SLOWED,
          SLOWER,
          VERIFIED);

  private DataGoals() {}
}
