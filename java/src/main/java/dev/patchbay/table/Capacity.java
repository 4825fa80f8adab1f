// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.table;

/**
 * How many entries each map can hold.
 *
 * @param frontends entries of {@code frontends}
 * @param services entries of {@code services}
 * @param backends entries of {@code backends}, at most 2^24
 */
public record Capacity(int frontends, int services, int backends) {
  public Capacity {
    if (frontends < 1 || services < 1 || backends < 1 || backends > 1 << 24) {
      throw new IllegalArgumentException(
          "capacity frontends=" + frontends + " services=" + services + " backends=" + backends);
    }
  }
}
