// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench.dataplane;

import dev.patchbay.lab.Family;
import dev.patchbay.lab.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Services that are the same for all: {@code bench-0} and so on with TCP port 80, {@link
 * #ENDPOINTS} endpoints each, every endpoint with addresses of its own, dual-stack; and two more,
 * for UDP and with session affinity.
 */
final class Population {
  /** How many endpoints each Service has. */
  static final int ENDPOINTS = 10;

  /** The port that all servers have. */
  static final int SERVER_PORT = 8080;

  /** A Service with a UDP port. */
  static final int UDP = -1;

  /** A Service with session affinity. */
  static final int STICKY = -2;

  /** Where Services beyond a /16 have their addresses, too. */
  static final String WIDE_RANGE = "10.96.0.0/12,fd00:10:96::/112";

  private static final int FIRST_V4 = 0x0a60_1000;
  private static final int FIRST_ENDPOINT_V4 = 0x0a80_0100;
  private static final int GROUP = 1000;

  private Population() {}

  /** The range in which all endpoints are. */
  static String endpoints(Family family) {
    return family == Family.IPV4 ? "10.128.0.0/12" : "fd00:10:128::/96";
  }

  private static String name(int service) {
    return switch (service) {
      case UDP -> "bench-udp";
      case STICKY -> "bench-sticky";
      default -> "bench-" + service;
    };
  }

  /** Where a Service is reached. */
  static InetSocketAddress address(Family family, int service) {
    return new InetSocketAddress(
        family == Family.IPV4 ? v4(FIRST_V4 + service) : v6(0x96, 0x1000 + service), 80);
  }

  /** The servers of a Service. */
  static List<InetSocketAddress> servers(Family family, int service) {
    return IntStream.range(0, ENDPOINTS)
        .mapToObj(
            i -> {
              int number = (service + 2) * ENDPOINTS + i;
              return new InetSocketAddress(
                  family == Family.IPV4 ? v4(FIRST_ENDPOINT_V4 + number) : v6(0x128, number + 1),
                  SERVER_PORT);
            })
        .toList();
  }

  /** Where all Services are reached. */
  static List<InetSocketAddress> addresses(Family family, int services) {
    return IntStream.range(0, services).mapToObj(i -> address(family, i)).toList();
  }

  /** The servers of all Services. */
  static List<InetSocketAddress> allServers(Family family, int services) {
    return IntStream.range(0, services)
        .mapToObj(i -> servers(family, i))
        .flatMap(List::stream)
        .toList();
  }

  private static InetAddress v4(int bits) {
    return of(
        new byte[] {(byte) (bits >>> 24), (byte) (bits >>> 16), (byte) (bits >>> 8), (byte) bits});
  }

  /** fd00:10:RANGE::NUMBER. */
  private static InetAddress v6(int range, int number) {
    byte[] bytes = new byte[16];
    bytes[0] = (byte) 0xfd;
    bytes[3] = 0x10;
    bytes[4] = (byte) (range >>> 8);
    bytes[5] = (byte) range;
    for (int i = 0; i < 4; i++) {
      bytes[15 - i] = (byte) (number >>> (8 * i));
    }
    return of(bytes);
  }

  private static InetAddress of(byte[] bytes) {
    try {
      return InetAddress.getByAddress(bytes);
    } catch (UnknownHostException e) {
      throw new AssertionError(e);
    }
  }

  private static String text(InetSocketAddress address) {
    return address.getAddress().getHostAddress();
  }

  // --- Objects of the API -----------------------------------------------------------------------

  /** The Services for UDP and with affinity. */
  static List<Map<String, ?>> special(List<Family> families) {
    List<Map<String, ?>> objects = new ArrayList<>();
    add(objects, UDP, "UDP", families, Map.of());
    add(objects, STICKY, "TCP", families, Map.of("sessionAffinity", "ClientIP"));
    return objects;
  }

  /** Some of the Services. */
  static List<Map<String, ?>> objects(int from, int to, List<Family> families) {
    List<Map<String, ?>> objects = new ArrayList<>();
    for (int i = from; i < to; i++) {
      add(objects, i, "TCP", families, Map.of());
    }
    return objects;
  }

  private static void add(
      List<Map<String, ?>> objects,
      int number,
      String protocol,
      List<Family> families,
      Map<String, ?> more) {
    Map<String, Object> spec = new LinkedHashMap<>(more);
    spec.put("clusterIP", text(address(families.getFirst(), number)));
    spec.put("clusterIPs", families.stream().map(f -> text(address(f, number))).toList());
    spec.put("ipFamilies", families.stream().map(Population::word).toList());
    spec.put("ipFamilyPolicy", families.size() == 1 ? "SingleStack" : "RequireDualStack");
    spec.put(
        "ports",
        List.of(
            Map.of("name", "main", "port", 80, "targetPort", SERVER_PORT, "protocol", protocol)));
    objects.add(
        Map.of(
            "apiVersion",
            "v1",
            "kind",
            "Service",
            "metadata",
            Map.of("name", name(number), "namespace", "default"),
            "spec",
            spec));
    for (Family family : families) {
      objects.add(slice(number, protocol, family));
    }
  }

  private static Map<String, ?> slice(int number, String protocol, Family family) {
    return Map.of(
        "apiVersion",
        "discovery.k8s.io/v1",
        "kind",
        "EndpointSlice",
        "metadata",
        Map.of(
            "name",
            name(number) + "-" + family.number(),
            "namespace",
            "default",
            "labels",
            Map.of("kubernetes.io/service-name", name(number))),
        "addressType",
        word(family),
        "ports",
        List.of(Map.of("name", "main", "port", SERVER_PORT, "protocol", protocol)),
        "endpoints",
        servers(family, number).stream()
            .map(
                server ->
                    Map.of("addresses", List.of(text(server)), "conditions", Map.of("ready", true)))
            .toList());
  }

  private static String word(Family family) {
    return family == Family.IPV4 ? "IPv4" : "IPv6";
  }

  /** Writes manifests of all of them, as many files as it takes. */
  static void write(Path directory, int services, List<Family> families) {
    try {
      Files.writeString(directory.resolve("special.json"), list(special(families)));
      for (int from = 0; from < services; from += GROUP) {
        int to = Math.min(services, from + GROUP);
        Files.writeString(
            directory.resolve("bench-" + from + ".json"), list(objects(from, to, families)));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String list(List<Map<String, ?>> objects) {
    return Json.write(Map.of("apiVersion", "v1", "kind", "List", "items", objects));
  }
}
