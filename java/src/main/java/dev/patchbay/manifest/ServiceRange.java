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
 * addresses, is kept for addresses that people choose, and handed out only when the rest is used
 * up.
 */
final class ServiceRange {
  private static final int MAX_BITS = 40;

  private final Cidr range;
  private final long first = 1;
  private final long end;
  private final long dynamic;

  ServiceRange(Cidr range) {
    this.range = range;
    long size = 1L << Math.min(range.hostBits(), MAX_BITS);
    boolean whole = range.hostBits() <= MAX_BITS;
    this.end = Math.max(first, size - (whole && range.family() == IpFamily.IPV4 ? 1 : 0));
    long reserved = Math.min(Math.max(16, size / 16), 256);
    this.dynamic = size <= 2 * reserved ? first : first + reserved - 1;
  }

  /** What a reserved address is: {@code network} or {@code broadcast}; empty if it is not one. */
  String reservation(IpAddress address) {
    if (address.equals(range.first())) {
      return "network";
    }
    boolean broadcast =
        range.family() == IpFamily.IPV4 && range.hostBits() > 0 && address.equals(range.at(end));
    return broadcast ? "broadcast" : "";
  }

  /**
   * A free address for a Service: the first one from a place that depends on the key alone.
   *
   * @return null if the range is used up
   */
  @Nullable IpAddress choose(ObjectKey key, Predicate<IpAddress> free) {
    if (end <= first) {
      return null;
    }
    long places = end - dynamic;
    long start = Long.remainderUnsigned(hash(key), places);
    for (long i = 0; i < places; i++) {
      IpAddress address = range.at(dynamic + (start + i) % places);
      if (free.test(address)) {
        return address;
      }
    }
    for (long offset = dynamic - 1; offset >= first; offset--) {
      IpAddress address = range.at(offset);
      if (free.test(address)) {
        return address;
      }
    }
    return null;
  }

  /** A hash that never changes, because addresses follow from it: FNV-1a, then mixed. */
  private static long hash(ObjectKey key) {
    long hash = hash(0xcbf29ce484222325L, key.namespace());
    hash = hash(hash(hash, "/"), key.name());
    hash = (hash ^ (hash >>> 32)) * 0xd6e8feb86659fd93L;
    return hash ^ (hash >>> 32);
  }

  private static long hash(long start, String text) {
    long hash = start;
    for (int i = 0; i < text.length(); i++) {
      hash = (hash ^ text.charAt(i)) * 0x100000001b3L;
    }
    return hash;
  }
}
