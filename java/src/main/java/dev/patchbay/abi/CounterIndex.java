// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.abi;

import dev.patchbay.bindings.abi.Abi;

/** Index into {@code counters}; {@code enum pb_counter}. */
public enum CounterIndex {
  CONNECT_TCP(Abi.PB_COUNTER_CONNECT_TCP()),
  CONNECT_UDP(Abi.PB_COUNTER_CONNECT_UDP()),
  SEND_UDP(Abi.PB_COUNTER_SEND_UDP()),
  REPLY_UDP(Abi.PB_COUNTER_REPLY_UDP()),
  REFUSED_NO_ENDPOINT(Abi.PB_COUNTER_REFUSED_NO_ENDPOINT()),
  REFUSED_POLICY(Abi.PB_COUNTER_REFUSED_POLICY()),
  REFUSED_UNKNOWN_PORT(Abi.PB_COUNTER_REFUSED_UNKNOWN_PORT()),
  AFFINITY_KEPT(Abi.PB_COUNTER_AFFINITY_KEPT()),
  STATE_FAILED(Abi.PB_COUNTER_STATE_FAILED()),
  CORRUPT(Abi.PB_COUNTER_CORRUPT()),
  REFUSED_BIND(Abi.PB_COUNTER_REFUSED_BIND()),
  EVENTS_LOST(Abi.PB_COUNTER_EVENTS_LOST()),
  STATS_FAILED(Abi.PB_COUNTER_STATS_FAILED());

  private final int index;

  CounterIndex(int index) {
    this.index = index;
  }

  /** The key in the map. */
  public int index() {
    return index;
  }

  /** How many there are; the map has one more entry, which only programs use. */
  public static int count() {
    return Abi.PB_COUNTERS();
  }
}
