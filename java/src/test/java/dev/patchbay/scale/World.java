// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.scale;

import dev.patchbay.model.Endpoint;
import dev.patchbay.model.EndpointPort;
import dev.patchbay.model.EndpointSlice;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Protocol;
import dev.patchbay.model.Service;
import dev.patchbay.model.ServicePort;
import dev.patchbay.model.ServiceState;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

/**
 * Many Services with ten endpoints each, as values and as manifests. Service {@code i} in its
 * version {@code n} has one endpoint that version {@code n - 1} does not have, and lacks one of
 * those.
 */
public final class World {
  /** Endpoints of a Service. */
  public static final int ENDPOINTS = 10;

  /** Addresses of one Service lie in a block of this size. */
  private static final int BLOCK = 64;

  /** Cluster IPs in a block of this size of the second byte; 250 in the two after that. */
  private static final int CLUSTER_IPS = 250 * 250;

  /** Where the addresses of {@link #large} begin, behind those of 100,000 others. */
  private static final int LARGE = 0x0af0_0000;

  private World() {}

  /** Built of new objects, as a source builds it when it has read a changed object. */
  public static ServiceState service(int number, int version) {
    return service(number, version, ENDPOINTS);
  }

  /** The same with another number of endpoints, below 64. */
  public static ServiceState service(int number, int version, int count) {
    return service(number, count, i -> IpAddress.of(endpoint(number, version + i)));
  }

  /** A Service with up to 65,000 endpoints, of which each version replaces {@code step}. */
  public static ServiceState large(int number, int version, int count, int step) {
    return service(number, count, i -> IpAddress.ofIpv4(LARGE + (i + version * step) % (1 << 16)));
  }

  private static ServiceState service(int number, int count, IntFunction<IpAddress> addresses) {
    ObjectKey key = key(number);
    Service service =
        Service.builder(key)
            .clusterIps(List.of(IpAddress.of(clusterIp(number))))
            .ports(List.of(new ServicePort("http", Protocol.TCP, 80, "8080", 0)))
            .origin("world")
            .build();
    List<Endpoint> endpoints = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      endpoints.add(
          new Endpoint(
              addresses.apply(i), true, true, false, node(number, i), name(number) + "-" + i));
    }
    EndpointSlice slice =
        new EndpointSlice(
            new ObjectKey(key.namespace(), key.name() + "-slice"),
            IpFamily.IPV4,
            List.of(new EndpointPort("http", Protocol.TCP, 8080)),
            endpoints);
    return new ServiceState(service, List.of(slice), List.of());
  }

  /** A Service and its slice as two YAML documents, written the way {@code kubectl get} does. */
  public static String manifest(int number, int version) {
    StringBuilder text =
        new StringBuilder(
            """
            ---
            apiVersion: v1
            kind: Service
            metadata:
              name: NAME
              namespace: NAMESPACE
              labels:
                app: NAME
            spec:
              clusterIP: CLUSTER-IP
              ports:
              - name: http
                protocol: TCP
                port: 80
                targetPort: 8080
            ---
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata:
              name: NAME-slice
              namespace: NAMESPACE
              labels:
                kubernetes.io/service-name: NAME
            addressType: IPv4
            ports:
            - name: http
              protocol: TCP
              port: 8080
            endpoints:
            """
                .replace("CLUSTER-IP", clusterIp(number))
                .replace("NAMESPACE", namespace(number))
                .replace("NAME", name(number)));
    for (int i = 0; i < ENDPOINTS; i++) {
      text.append("- addresses:\n  - ")
          .append(endpoint(number, version + i))
          .append("\n  conditions:\n    ready: true\n    serving: true\n    terminating: false")
          .append("\n  nodeName: ")
          .append(node(number, i))
          .append("\n  targetRef:\n    kind: Pod\n    name: ")
          .append(name(number))
          .append('-')
          .append(i)
          .append("\n    namespace: ")
          .append(namespace(number))
          .append('\n');
    }
    return text.toString();
  }

  /** Manifests of many Services in their first version. */
  public static String manifests(int from, int to) {
    StringBuilder text = new StringBuilder();
    for (int number = from; number < to; number++) {
      text.append(manifest(number, 0));
    }
    return text.toString();
  }

  /** What a Service is called. */
  public static ObjectKey key(int number) {
    return new ObjectKey(namespace(number), name(number));
  }

  private static String name(int number) {
    return "service-" + number;
  }

  private static String namespace(int number) {
    return "team-" + number % 20;
  }

  private static String node(int number, int endpoint) {
    return "node-" + (number * ENDPOINTS + endpoint) % 100;
  }

  private static String clusterIp(int number) {
    return "10.%d.%d.%d"
        .formatted(96 + number / CLUSTER_IPS, number / 250 % 250 + 1, number % 250 + 1);
  }

  private static String endpoint(int number, int which) {
    return IpAddress.ofIpv4(0x0a80_0000 + number * BLOCK + which % BLOCK).toString();
  }
}
