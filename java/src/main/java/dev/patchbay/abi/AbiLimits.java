// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.abi;

import dev.patchbay.bindings.abi.Abi;
import dev.patchbay.table.Capacity;

/** The version of the ABI and the sizes that maps have unless they are told otherwise. */
public final class AbiLimits {
  /** The version that this code was written for. */
  public static final int VERSION = Abi.PB_ABI_VERSION();

  /** Sizes of {@code frontends}, {@code services} and {@code backends}. */
  public static final Capacity DEFAULT_CAPACITY =
      new Capacity(
          Abi.PB_DEFAULT_FRONTENDS(), Abi.PB_DEFAULT_SERVICES(), Abi.PB_DEFAULT_BACKENDS());

  /** Entries of {@code affinity} at most; a small node has fewer. */
  public static final int DEFAULT_AFFINITY = Abi.PB_DEFAULT_AFFINITY();

  /** Entries of {@code udp_flows} at most; a small node has fewer. */
  public static final int DEFAULT_UDP_FLOWS = Abi.PB_DEFAULT_UDP_FLOWS();

  /** Bytes of {@code events}, a power of two and a multiple of the page size. */
  public static final int DEFAULT_EVENTS_BYTES = Abi.PB_DEFAULT_EVENTS_BYTES();

  /** Entries of {@code service_stats}. */
  public static final int DEFAULT_SERVICE_STATS = Abi.PB_DEFAULT_SERVICE_STATS();

  /** Entries of {@code backend_stats}. */
  public static final int DEFAULT_BACKEND_STATS = Abi.PB_DEFAULT_BACKEND_STATS();

  /** Entries of {@code connections}, eight slots each. */
  public static final int CONNECTIONS = Abi.PB_CONNECTIONS();

  /** How many may watch connections at one time. */
  public static final int WATCHERS = Abi.PB_WATCHERS();

  private AbiLimits() {}
}
