// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.model.Cidr;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.ObjectKey;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A service range as a place to take addresses from. The first address is never used (the network
 * address, or the subnet-router anycast address), nor is the last one of an IPv4 range (broadcast).
 *
 * <p>As in Kubernetes (KEP-3070) the lower part, a sixteenth, at least 16 and at most 256
 * addresses, is kept for addresses that people choose.
 */
final class ServiceRange {
  private static final int MAX_BITS = 40;

  private final Cidr range;
  private final Places places;

  ServiceRange(Cidr range) {
    this.range = range;
    long size = 1L << Math.min(range.hostBits(), MAX_BITS);
    boolean whole = range.hostBits() <= MAX_BITS;
    long end = Math.max(1, size - (whole && range.family() == IpFamily.IPV4 ? 1 : 0));
    long reserved = Math.min(Math.max(16, size / 16), 256);
    this.places = new Places(1, size <= 2 * reserved ? 1 : reserved, end);
  }

  /** What a reserved address is: {@code network} or {@code broadcast}; empty if it is not one. */
  String reservation(IpAddress address) {
    if (address.equals(range.first())) {
      return "network";
    }
    boolean broadcast =
        range.family() == IpFamily.IPV4
            && range.hostBits() > 0
            && address.equals(range.at(places.end()));
    return broadcast ? "broadcast" : "";
  }

  /**
   * A free address for a Service: the first one from a place that depends on the key alone.
   *
   * @return null if the range is used up
   */
  @Nullable IpAddress choose(ObjectKey key, Predicate<IpAddress> free) {
    long place = places.choose(key.toString(), p -> free.test(range.at(p)));
    return place < 0 ? null : range.at(place);
  }
}
