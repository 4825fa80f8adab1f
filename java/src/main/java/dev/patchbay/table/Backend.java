// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.table;

import dev.patchbay.model.IpAddress;
import org.jspecify.annotations.Nullable;

/**
 * Row of the {@code backends} map. Order is the one that ranges are kept in: address, then port,
 * both unsigned.
 *
 * @param address where connections go
 * @param port 1 to 65535
 */
public record Backend(IpAddress address, int port) implements Comparable<Backend> {
  @Override
  public int compareTo(Backend other) {
    int byAddress = address.compareTo(other.address);
    return byAddress != 0 ? byAddress : Integer.compare(port, other.port);
  }

  // Written out for the same reason as in FrontendKey.
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Backend backend
        && port == backend.port
        && address.equals(backend.address);
  }

  @Override
  public int hashCode() {
    return 31 * address.hashCode() + port;
  }

  /** {@code 10.1.0.7:8080}, {@code [fd00::7]:8080}. */
  @Override
  public String toString() {
    return address.withPort(port);
  }
}
