// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.observe;

import java.util.List;

/**
 * What sockets did at one Service port, summed over the CPUs; {@code struct pb_service_stats}. A
 * socket counts as open from its connect() until it is closed or connected to something else.
 *
 * @param tcpConnects TCP connects translated
 * @param udpConnects UDP connects translated
 * @param udpSends datagrams of unconnected sockets translated
 * @param refusedNoEndpoint refused: no endpoint at all
 * @param refusedPolicy refused: endpoints exist, policy forbids them all
 * @param tcpClosed of {@code tcpConnects}, those no longer open
 * @param udpClosed of {@code udpConnects}, those no longer open
 * @param tcpFailed of {@code tcpClosed}, those never established
 * @param establishedNanos time from connect() to establishment, summed, in nanoseconds
 * @param established TCP connections established, by that time: entry {@code n} counts those that
 *     took less than {@code 16 us << 2n} and are in no entry before it; the last one all others
 */
public record ServiceStats(
    long tcpConnects,
    long udpConnects,
    long udpSends,
    long refusedNoEndpoint,
    long refusedPolicy,
    long tcpClosed,
    long udpClosed,
    long tcpFailed,
    long establishedNanos,
    List<Long> established) {
  /** How many ranges of time there are. */
  public static final int RANGES = 10;

  public ServiceStats {
    established = List.copyOf(established);
  }

  /**
   * Where a range of time ends: times in it are less.
   *
   * @param range 0 to {@link #RANGES} - 2; the last range has no end
   * @return nanoseconds
   */
  public static long rangeNanos(int range) {
    return 16_000L << (2 * range);
  }
}
