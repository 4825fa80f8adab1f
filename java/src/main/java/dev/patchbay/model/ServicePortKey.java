// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.model;

import org.jspecify.annotations.Nullable;

/**
 * The identity of one balanced thing: a port of a Service in one address family, under one traffic
 * policy. It owns one index of the {@code services} map and one range of {@code backends}.
 *
 * <p>Most Service ports have one such thing. One whose cluster IP obeys the policy {@code Local}
 * and which has external addresses has two: clients on the node reach those under {@code Cluster}.
 *
 * @param service the Service
 * @param port the name of the port; empty for the single unnamed one
 * @param protocol the protocol of the port
 * @param family of its frontends and of its endpoints
 * @param policy which endpoints it has
 */
public record ServicePortKey(
    ObjectKey service, String port, Protocol protocol, IpFamily family, TrafficPolicy policy)
    implements Comparable<ServicePortKey> {
  private static final long FNV_OFFSET = 0xcbf29ce484222325L;
  private static final long FNV_PRIME = 0x100000001b3L;

  /** A port under the policy {@code Cluster}. */
  public ServicePortKey(ObjectKey service, String port, Protocol protocol, IpFamily family) {
    this(service, port, protocol, family, TrafficPolicy.CLUSTER);
  }

  public ServicePortKey withPolicy(TrafficPolicy other) {
    return other == policy ? this : new ServicePortKey(service, port, protocol, family, other);
  }

  /**
   * Under which the kernel counts what happens at this Service port: 64 bits of its name, the same
   * in every process and version, so that counts outlive restarts and upgrades. Two Service ports
   * among 100,000 have the same one with a probability of less than one in a billion. Never 0.
   */
  public long statsId() {
    long hash = FNV_OFFSET;
    hash = mix(hash, service.namespace());
    hash = mix(hash, service.name());
    hash = mix(hash, port);
    hash = (hash ^ protocol.number()) * FNV_PRIME;
    hash = (hash ^ (family == IpFamily.IPV4 ? 4 : 6)) * FNV_PRIME;
    hash = (hash ^ (policy == TrafficPolicy.CLUSTER ? 0 : 1)) * FNV_PRIME;
    return hash == 0 ? 1 : hash;
  }

  /** FNV-1a over the characters and an end that no name has. */
  private static long mix(long start, String text) {
    long hash = start;
    for (int i = 0; i < text.length(); i++) {
      hash = (hash ^ text.charAt(i)) * FNV_PRIME;
    }
    return (hash ^ '/') * FNV_PRIME;
  }

  @Override
  public int compareTo(ServicePortKey other) {
    int byService = service.compareTo(other.service);
    if (byService != 0) {
      return byService;
    }
    int byPort = port.compareTo(other.port);
    if (byPort != 0) {
      return byPort;
    }
    int byProtocol = protocol.compareTo(other.protocol);
    if (byProtocol != 0) {
      return byProtocol;
    }
    int byFamily = family.compareTo(other.family);
    return byFamily != 0 ? byFamily : policy.compareTo(other.policy);
  }

  // Written out for the same reason as in IpAddress.
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof ServicePortKey key
        && protocol == key.protocol
        && family == key.family
        && policy == key.policy
        && port.equals(key.port)
        && service.equals(key.service);
  }

  @Override
  public int hashCode() {
    int hash = 31 * service.hashCode() + port.hashCode();
    return 31 * (31 * hash + protocol.number())
        + (family == IpFamily.IPV4 ? 0 : 1)
        + (policy == TrafficPolicy.CLUSTER ? 0 : 2);
  }

  /** {@code namespace/name:port/protocol (family)}, {@code (family, Local)} under that policy. */
  @Override
  public String toString() {
    return service
        + (port.isEmpty() ? "" : ":" + port)
        + "/"
        + protocol.lowerCase()
        + " ("
        + family
        + (policy == TrafficPolicy.CLUSTER ? "" : ", " + policy)
        + ")";
  }
}
