// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import dev.patchbay.observe.StaleSocket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Which sockets were found stale in an earlier scan already. Only those are destroyed: an exchange
 * that was under way when the backend left has had its time, and a backend that came back meanwhile
 * is none. Not thread-safe.
 */
final class StaleSuspects {
  /** Cookies, sorted. */
  private long[] known = {};

  private long[] fresh = new long[64];
  private int count;

  /** Those that an earlier scan had; the others are remembered. */
  List<StaleSocket> due(List<StaleSocket> found) {
    List<StaleSocket> due = new ArrayList<>();
    for (StaleSocket socket : found) {
      if (Arrays.binarySearch(known, socket.cookie()) >= 0) {
        due.add(socket);
      } else {
        remember(socket.cookie());
      }
    }
    return due;
  }

  private void remember(long cookie) {
    if (count == fresh.length) {
      fresh = Arrays.copyOf(fresh, 2 * count);
    }
    fresh[count++] = cookie;
  }

  /**
   * A scan is over: what it found first is known to the next.
   *
   * @return whether there was anything
   */
  boolean endScan() {
    if (count == 0) {
      return false;
    }
    long[] all = Arrays.copyOf(known, known.length + count);
    System.arraycopy(fresh, 0, all, known.length, count);
    Arrays.sort(all);
    known = all;
    count = 0;
    return true;
  }
}
