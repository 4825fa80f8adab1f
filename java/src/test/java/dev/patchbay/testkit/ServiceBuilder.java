// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.testkit;

import dev.patchbay.model.Cidr;
import dev.patchbay.model.Endpoint;
import dev.patchbay.model.EndpointPort;
import dev.patchbay.model.EndpointSlice;
import dev.patchbay.model.Hints;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Protocol;
import dev.patchbay.model.Service;
import dev.patchbay.model.ServiceOptions;
import dev.patchbay.model.ServicePort;
import dev.patchbay.model.ServiceState;
import dev.patchbay.model.ServiceType;
import dev.patchbay.model.TrafficPolicy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Builds a {@link ServiceState} in few words. Not thread-safe. */
public final class ServiceBuilder {
  private final ObjectKey key;
  private final Service.Builder service;
  private final List<IpAddress> clusterIps = new ArrayList<>();
  private final List<ServicePort> ports = new ArrayList<>();
  private final List<IpAddress> externalIps = new ArrayList<>();
  private final List<IpAddress> loadBalancerIps = new ArrayList<>();
  private final List<EndpointSlice> slices = new ArrayList<>();

  private ServiceBuilder(ObjectKey key) {
    this.key = key;
    service = Service.builder(key);
  }

  /** Starts with {@code namespace/name}, or a name in the namespace {@code default}. */
  public static ServiceBuilder service(String key) {
    int slash = key.indexOf('/');
    return new ServiceBuilder(
        slash < 0
            ? new ObjectKey("default", key)
            : new ObjectKey(key.substring(0, slash), key.substring(slash + 1)));
  }

  public ServiceBuilder type(ServiceType value) {
    service.type(value);
    return this;
  }

  public ServiceBuilder clusterIps(String... addresses) {
    Arrays.stream(addresses).map(IpAddress::of).forEach(clusterIps::add);
    return this;
  }

  public ServiceBuilder externalIps(String... addresses) {
    Arrays.stream(addresses).map(IpAddress::of).forEach(externalIps::add);
    return this;
  }

  public ServiceBuilder loadBalancerIps(String... addresses) {
    Arrays.stream(addresses).map(IpAddress::of).forEach(loadBalancerIps::add);
    return this;
  }

  /** Addresses of a load balancer that takes the connections itself. */
  public ServiceBuilder proxiedLoadBalancerIps(String... addresses) {
    service.proxiedLoadBalancerIps(Arrays.stream(addresses).map(IpAddress::of).toList());
    return this;
  }

  public ServiceBuilder sourceRanges(String... ranges) {
    service.sourceRanges(
        Arrays.stream(ranges).map(range -> Cidr.parse(range).orElseThrow()).toList());
    return this;
  }

  public ServiceBuilder healthCheckNodePort(int port) {
    service.healthCheckNodePort(port);
    return this;
  }

  /** The policy for the cluster IP. */
  public ServiceBuilder internalPolicy(TrafficPolicy policy) {
    service.internalPolicy(policy);
    return this;
  }

  /** The policy for traffic from outside. */
  public ServiceBuilder externalPolicy(TrafficPolicy policy) {
    service.externalPolicy(policy);
    return this;
  }

  /** Adds a port with a node port. */
  public ServiceBuilder nodePort(String name, Protocol protocol, int port, int nodePort) {
    ports.add(new ServicePort(name, protocol, port, Integer.toString(port), nodePort));
    return this;
  }

  /** Adds an unnamed TCP port. */
  public ServiceBuilder port(int port) {
    return port("", Protocol.TCP, port);
  }

  public ServiceBuilder port(String name, Protocol protocol, int port) {
    ports.add(new ServicePort(name, protocol, port, Integer.toString(port), 0));
    return this;
  }

  public ServiceBuilder affinity(int seconds) {
    service.affinitySeconds(seconds);
    return this;
  }

  public ServiceBuilder options(ServiceOptions options) {
    service.options(options);
    return this;
  }

  public ServiceBuilder publishNotReady() {
    service.publishNotReadyAddresses(true);
    return this;
  }

  public ServiceBuilder created(long millis) {
    service.createdMillis(millis);
    return this;
  }

  /** Adds a slice with one unnamed TCP port. */
  public ServiceBuilder slice(int port, Endpoint... endpoints) {
    return slice(List.of(new EndpointPort("", Protocol.TCP, port)), endpoints);
  }

  /** Adds a slice with one TCP port. */
  public ServiceBuilder slice(String portName, int port, Endpoint... endpoints) {
    return slice(List.of(new EndpointPort(portName, Protocol.TCP, port)), endpoints);
  }

  /** Adds a slice; its family is that of its first endpoint. */
  public ServiceBuilder slice(List<EndpointPort> slicePorts, Endpoint... endpoints) {
    slices.add(
        new EndpointSlice(
            new ObjectKey(key.namespace(), key.name() + "-" + slices.size()),
            endpoints[0].address().family(),
            slicePorts,
            List.of(endpoints)));
    return this;
  }

  public ServiceState build() {
    service
        .clusterIps(clusterIps)
        .externalIps(externalIps)
        .loadBalancerIps(loadBalancerIps)
        .ports(ports)
        .origin("test");
    return new ServiceState(service.build(), slices, List.of());
  }

  public static Endpoint ready(String address) {
    return new Endpoint(IpAddress.of(address), true, true, false, "", "");
  }

  public static Endpoint notReady(String address) {
    return new Endpoint(IpAddress.of(address), false, false, false, "", "");
  }

  /** Terminating, but serving. */
  public static Endpoint draining(String address) {
    return new Endpoint(IpAddress.of(address), false, true, true, "", "");
  }

  /** Terminating and no longer serving. */
  public static Endpoint terminated(String address) {
    return new Endpoint(IpAddress.of(address), false, false, true, "", "");
  }

  /** The endpoint on a node. */
  public static Endpoint on(String node, Endpoint e) {
    return new Endpoint(
        e.address(), e.ready(), e.serving(), e.terminating(), node, e.target(), e.hints());
  }

  /** The endpoint, hinted for zones. */
  public static Endpoint forZones(Endpoint e, String... zones) {
    return e.withHints(new Hints(List.of(zones), e.hints().nodes()));
  }

  /** The endpoint, hinted for nodes. */
  public static Endpoint forNodes(Endpoint e, String... nodes) {
    return e.withHints(new Hints(e.hints().zones(), List.of(nodes)));
  }
}
