// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab.cluster;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Services {@code many-0} and so on in {@code default}, with endpoints that do not exist, in slices
 * as large as the controller's.
 */
public final class ManyServices {
  private static final int FIRST = 128;

  /** Of cluster IPs, in the range of {@link dev.patchbay.lab.Family#IPV4}. */
  private static final int FIRST_SUBNET = 32;

  private final int services;
  private final int endpoints;

  private ManyServices(int services, int endpoints) {
    this.services = services;
    this.endpoints = endpoints;
  }

  /** Stores them. */
  public static ManyServices store(Cluster cluster, int services, int endpoints) {
    ManyServices many = new ManyServices(services, endpoints);
    int group = 1000; // at a time, since requests are made of objects before they are sent
    for (int from = 0; from < services; from += group) {
      int to = Math.min(services, from + group);
      cluster.store(IntStream.range(from, to).mapToObj(many::service).toList());
      cluster.store(IntStream.range(from, to).mapToObj(i -> many.slice(i, 0)).toList());
    }
    return many;
  }

  /** How many there are. */
  public int count() {
    return services;
  }

  /** The cluster IP of one. */
  public String address(int service) {
    return "10.96.%d.%d".formatted(FIRST_SUBNET + service / 250, service % 250 + 1);
  }

  private static String name(int service) {
    return "many-" + service;
  }

  private Map<String, ?> service(int i) {
    return Map.of(
        "apiVersion",
        "v1",
        "kind",
        "Service",
        "metadata",
        Map.of("name", name(i), "labels", Map.of("app", name(i))),
        "spec",
        Map.of(
            "clusterIP",
            address(i),
            "ports",
            List.of(Map.of("name", "http", "port", 80, "targetPort", 8080, "protocol", "TCP"))));
  }

  /** The slice of one; each version, 0 to 200, has another first endpoint. */
  public Map<String, ?> slice(int service, int version) {
    List<Map<String, ?>> list = new ArrayList<>();
    for (int i = 0; i < endpoints; i++) {
      int number = service * endpoints + i;
      String pod = name(service) + "-7d4b9c8f6d-" + i;
      String address =
          "10.%d.%d.%d"
              .formatted(
                  FIRST + number / 62_500 + (i == 0 ? 8 * version % 96 : 0),
                  number / 250 % 250,
                  number % 250 + 1);
      list.add(
          Map.of(
              "addresses",
              List.of(address),
              "conditions",
              Map.of("ready", true, "serving", true, "terminating", false),
              "nodeName",
              "worker-" + number % 100,
              "zone",
              "zone-" + number % 3,
              "targetRef",
              Map.of(
                  "kind",
                  "Pod",
                  "namespace",
                  "default",
                  "name",
                  pod,
                  "uid",
                  "00000000-0000-4000-8000-%012d".formatted(number))));
    }
    return Map.of(
        "apiVersion",
        "discovery.k8s.io/v1",
        "kind",
        "EndpointSlice",
        "metadata",
        Map.of(
            "name",
            name(service) + "-x7k2p",
            "labels",
            Map.of(
                "app",
                name(service),
                "kubernetes.io/service-name",
                name(service),
                "endpointslice.kubernetes.io/managed-by",
                "endpointslice-controller.k8s.io")),
        "addressType",
        "IPv4",
        "ports",
        List.of(Map.of("name", "http", "port", 8080, "protocol", "TCP")),
        "endpoints",
        list);
  }
}
