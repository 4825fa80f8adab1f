// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.differential;

import dev.patchbay.lab.Client;
import dev.patchbay.lab.Family;
import dev.patchbay.lab.Json;
import dev.patchbay.lab.Pod;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Where to connect to. That of the same Service, place, family and port is the same for both
 * proxies, though the address of the node is not.
 *
 * @param portName the name of the Service's port; empty if it has none
 * @param number of the address among those of its place and family
 * @param address in the text form that {@code connect} takes
 */
record Destination(
    String service,
    Place place,
    Family family,
    Client.Kind kind,
    String portName,
    int number,
    String address,
    int port) {
  /** A port that no Service has, of both protocols. */
  private static final int OTHER_PORT = 999;

  private static final String LOOPBACK_V4 = "127.0.0.1";
  private static final String LOOPBACK_V6 = "::1";

  /** What tells destinations apart, for both proxies. */
  record Key(
      String service, Place place, Family family, Client.Kind kind, String portName, int number) {
    /** The same of another Service. */
    Key of(String other) {
      return new Key(other, place, family, kind, portName, number);
    }

    /** The same Service port at another place; there at the first address. */
    Key at(Place other) {
      return new Key(service, other, family, kind, portName, 0);
    }
  }

  Key key() {
    return new Key(service, place, family, kind, portName, number);
  }

  Client.Exchange target() {
    return new Client.Exchange(kind, address, port);
  }

  /**
   * All of a Service, as the API server has it.
   *
   * @param host the node itself
   * @param outside the number of its second address
   */
  static List<Destination> of(Json service, Pod host, int outside) {
    List<Destination> all = new ArrayList<>();
    Json spec = service.get("spec");
    List<String> clusterIps =
        texts(spec, "clusterIPs").stream().filter(ip -> !ip.equals("None")).toList();
    for (Json port : spec.find("ports").map(Json::elements).orElse(List.of())) {
      Builder to = new Builder(service.get("metadata").get("name").text(), port, all);
      int number = (int) port.get("port").number();
      to.addAll(Place.CLUSTER_IP, clusterIps, number);
      to.addAll(Place.EXTERNAL_IP, texts(spec, "externalIPs"), number);
      to.addAll(Place.LOAD_BALANCER, ingress(service), number);
      Optional<Json> nodePort = port.find("nodePort");
      if (nodePort.isPresent()) {
        // Also in a family that the Service is not of.
        for (Family family : Family.values()) {
          int served = (int) nodePort.get().number();
          boolean four = family == Family.IPV4;
          to.add(Place.NODE_PORT, 0, host.address(family), served);
          to.add(Place.NODE_PORT_SECOND, 0, family.outside(outside), served);
          to.add(Place.NODE_PORT_LOOPBACK, 0, four ? LOOPBACK_V4 : LOOPBACK_V6, served);
        }
      }
    }
    spec.find("ports")
        .map(Json::elements)
        .ifPresent(
            ports ->
                new Builder(service.get("metadata").get("name").text(), ports.getFirst(), all)
                    .addAll(Place.OTHER_PORT, clusterIps, OTHER_PORT));
    return all;
  }

  /** The addresses in the status of a load balancer. */
  private static List<String> ingress(Json service) {
    return service
        .find("status")
        .flatMap(status -> status.find("loadBalancer"))
        .flatMap(balancer -> balancer.find("ingress"))
        .map(entries -> entries.elements().stream().map(entry -> entry.get("ip").text()).toList())
        .orElse(List.of());
  }

  /** The strings of a member that may be missing. */
  static List<String> texts(Json object, String member) {
    return object
        .find(member)
        .map(list -> list.elements().stream().map(Json::text).toList())
        .orElse(List.of());
  }

  static Family family(String address) {
    return address.contains(":") ? Family.IPV6 : Family.IPV4;
  }

  private record Builder(String service, Json port, List<Destination> to) {
    void addAll(Place place, List<String> addresses, int number) {
      for (Family family : Family.values()) {
        int count = 0;
        for (String address : addresses) {
          if (family(address) == family) {
            add(place, count++, address, number);
          }
        }
      }
    }

    void add(Place place, int count, String address, int number) {
      boolean tcp = port.get("protocol").text().equals("TCP");
      to.add(
          new Destination(
              service,
              place,
              family(address),
              tcp ? Client.Kind.TCP : Client.Kind.UDP,
              port.find("name").map(Json::text).orElse(""),
              count,
              address,
              number));
    }
  }
}
