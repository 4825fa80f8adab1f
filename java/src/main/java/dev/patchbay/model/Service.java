// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.model;

import java.util.List;
import java.util.Map;

/**
 * A Service as far as the dataplane needs it. Made by a {@link #builder}.
 *
 * @param key its identity
 * @param type {@code spec.type}
 * @param headless whether it asks for no cluster IP ({@code clusterIP: None})
 * @param clusterIps its cluster IPs, at most one per family, the primary one first; empty for a
 *     headless Service, an ExternalName, and one that got no address
 * @param ports in the order of the manifest; names and (protocol, port) pairs are unique
 * @param selector empty if there is none
 * @param affinitySeconds 0 without session affinity, else the timeout of {@code ClientIP}, 1 to
 *     86400 seconds
 * @param publishNotReadyAddresses whether readiness of endpoints is ignored
 * @param internalPolicy which endpoints clients of the cluster IP may reach
 * @param externalPolicy which endpoints traffic from outside the cluster may reach
 * @param trafficDistribution {@code spec.trafficDistribution}, empty if there is none; for people:
 *     selection goes by {@link Hints}
 * @param externalIps {@code spec.externalIPs}
 * @param loadBalancerIps addresses of {@code status.loadBalancer.ingress} that nodes serve
 * @param proxiedLoadBalancerIps those that must reach the load balancer ({@code ipMode: Proxy})
 * @param sourceRanges {@code spec.loadBalancerSourceRanges}: who may use the load balancer's
 *     addresses from outside; empty: everybody
 * @param healthCheckNodePort where the number of local endpoints is told, 0 if nowhere
 * @param options what it asks of Patchbay by annotations
 * @param createdMillis {@code metadata.creationTimestamp} in milliseconds since the epoch; {@link
 *     Long#MAX_VALUE} if unknown. Older Services win conflicts
 * @param origin where it came from, for messages: a file and document, or a cluster
 */
public record Service(
    ObjectKey key,
    ServiceType type,
    boolean headless,
    List<IpAddress> clusterIps,
    List<ServicePort> ports,
    Map<String, String> selector,
    int affinitySeconds,
    boolean publishNotReadyAddresses,
    TrafficPolicy internalPolicy,
    TrafficPolicy externalPolicy,
    String trafficDistribution,
    List<IpAddress> externalIps,
    List<IpAddress> loadBalancerIps,
    List<IpAddress> proxiedLoadBalancerIps,
    List<Cidr> sourceRanges,
    int healthCheckNodePort,
    ServiceOptions options,
    long createdMillis,
    String origin) {
  public Service {
    if (affinitySeconds < 0 || affinitySeconds > 86400) {
      throw new IllegalArgumentException("session affinity of " + affinitySeconds + " s");
    }
    if (healthCheckNodePort < 0 || healthCheckNodePort > 65535) {
      throw new IllegalArgumentException("health check node port " + healthCheckNodePort);
    }
    clusterIps = List.copyOf(clusterIps);
    ports = List.copyOf(ports);
    selector = Map.copyOf(selector);
    externalIps = List.copyOf(externalIps);
    loadBalancerIps = List.copyOf(loadBalancerIps);
    proxiedLoadBalancerIps = List.copyOf(proxiedLoadBalancerIps);
    sourceRanges = List.copyOf(sourceRanges);
  }

  /** Whether clients outside the cluster have an address for it: the external policy counts. */
  public boolean isExternallyReachable() {
    return type == ServiceType.NODE_PORT
        || type == ServiceType.LOAD_BALANCER
        || !externalIps.isEmpty();
  }

  /** A Service of type ClusterIP with policy {@code Cluster} and nothing else. */
  public static Builder builder(ObjectKey key) {
    return new Builder(key);
  }

  /** This Service, to be changed. */
  public Builder toBuilder() {
    return new Builder(key)
        .type(type)
        .headless(headless)
        .clusterIps(clusterIps)
        .ports(ports)
        .selector(selector)
        .affinitySeconds(affinitySeconds)
        .publishNotReadyAddresses(publishNotReadyAddresses)
        .internalPolicy(internalPolicy)
        .externalPolicy(externalPolicy)
        .trafficDistribution(trafficDistribution)
        .externalIps(externalIps)
        .loadBalancerIps(loadBalancerIps)
        .proxiedLoadBalancerIps(proxiedLoadBalancerIps)
        .sourceRanges(sourceRanges)
        .healthCheckNodePort(healthCheckNodePort)
        .options(options)
        .createdMillis(createdMillis)
        .origin(origin);
  }

  /** Makes a Service step by step. Not thread-safe. */
  public static final class Builder {
    private ObjectKey key;
    private ServiceType type = ServiceType.CLUSTER_IP;
    private boolean headless;
    private List<IpAddress> clusterIps = List.of();
    private List<ServicePort> ports = List.of();
    private Map<String, String> selector = Map.of();
    private int affinitySeconds;
    private boolean publishNotReadyAddresses;
    private TrafficPolicy internalPolicy = TrafficPolicy.CLUSTER;
    private TrafficPolicy externalPolicy = TrafficPolicy.CLUSTER;
    private String trafficDistribution = "";
    private List<IpAddress> externalIps = List.of();
    private List<IpAddress> loadBalancerIps = List.of();
    private List<IpAddress> proxiedLoadBalancerIps = List.of();
    private List<Cidr> sourceRanges = List.of();
    private int healthCheckNodePort;
    private ServiceOptions options = ServiceOptions.NONE;
    private long createdMillis = Long.MAX_VALUE;
    private String origin = "";

    private Builder(ObjectKey key) {
      this.key = key;
    }

    public Builder key(ObjectKey value) {
      key = value;
      return this;
    }

    public Builder type(ServiceType value) {
      type = value;
      return this;
    }

    public Builder headless(boolean value) {
      headless = value;
      return this;
    }

    public Builder clusterIps(List<IpAddress> value) {
      clusterIps = value;
      return this;
    }

    public Builder ports(List<ServicePort> value) {
      ports = value;
      return this;
    }

    public Builder selector(Map<String, String> value) {
      selector = value;
      return this;
    }

    public Builder affinitySeconds(int value) {
      affinitySeconds = value;
      return this;
    }

    public Builder publishNotReadyAddresses(boolean value) {
      publishNotReadyAddresses = value;
      return this;
    }

    public Builder internalPolicy(TrafficPolicy value) {
      internalPolicy = value;
      return this;
    }

    public Builder externalPolicy(TrafficPolicy value) {
      externalPolicy = value;
      return this;
    }

    public Builder trafficDistribution(String value) {
      trafficDistribution = value;
      return this;
    }

    public Builder externalIps(List<IpAddress> value) {
      externalIps = value;
      return this;
    }

    public Builder loadBalancerIps(List<IpAddress> value) {
      loadBalancerIps = value;
      return this;
    }

    public Builder proxiedLoadBalancerIps(List<IpAddress> value) {
      proxiedLoadBalancerIps = value;
      return this;
    }

    public Builder sourceRanges(List<Cidr> value) {
      sourceRanges = value;
      return this;
    }

    public Builder healthCheckNodePort(int value) {
      healthCheckNodePort = value;
      return this;
    }

    public Builder options(ServiceOptions value) {
      options = value;
      return this;
    }

    public Builder createdMillis(long value) {
      createdMillis = value;
      return this;
    }

    public Builder origin(String value) {
      origin = value;
      return this;
    }

    public Service build() {
      return new Service(
          key,
          type,
          headless,
          clusterIps,
          ports,
          selector,
          affinitySeconds,
          publishNotReadyAddresses,
          internalPolicy,
          externalPolicy,
          trafficDistribution,
          externalIps,
          loadBalancerIps,
          proxiedLoadBalancerIps,
          sourceRanges,
          healthCheckNodePort,
          options,
          createdMillis,
          origin);
    }
  }
}
