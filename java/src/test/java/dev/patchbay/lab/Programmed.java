// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * What {@code patchbay services -o json} says.
 *
 * <p>The shape it is read by:
 *
 * <pre>{@code
 * {"services": [
 *   {"namespace": "default", "name": "kubia", "type": "ClusterIP",
 *    "port": "http",                                                name, "" if it has none
 *    "frontends": [{"address": "10.96.12.7", "port": 80, "protocol": "TCP"}],
 *    "backends": [{"address": "10.244.0.2", "port": 8080}]}
 * ]}
 * }</pre>
 *
 * One element for each Service port and family. Also accepted: the array without the object around
 * it, {@code "ports": [...]} as a level in between, one {@code "frontend"} instead of an array, and
 * other members anywhere. An element without an endpoint has an empty {@code backends}.
 *
 * @param rows one for each frontend, ordered by address
 */
public record Programmed(List<Row> rows) {
  /**
   * A frontend in the kernel.
   *
   * @param service {@code namespace/name}
   * @param frontend {@code address:port/protocol}, protocol in lower case
   * @param backends {@code address:port}, ordered
   */
  public record Row(String service, String frontend, Set<String> backends)
      implements Comparable<Row> {
    @Override
    public int compareTo(Row other) {
      return (service + " " + frontend).compareTo(other.service + " " + other.frontend);
    }
  }

  public Programmed {
    rows = rows.stream().sorted().toList();
  }

  /** Parses the output of the command. */
  public static Programmed parse(String text) {
    List<Row> rows = new ArrayList<>();
    Json top = Json.parse(text);
    Json list = top.isArray() ? top : top.get("services");
    for (Json service : list.elements()) {
      String key = service.get("namespace").text() + "/" + service.get("name").text();
      Optional<Json> ports = service.find("ports").filter(Json::isArray);
      if (ports.isPresent()) {
        ports.get().elements().forEach(port -> addRows(rows, key, port));
      } else {
        addRows(rows, key, service);
      }
    }
    return new Programmed(rows);
  }

  private static void addRows(List<Row> rows, String service, Json port) {
    Set<String> backends = new TreeSet<>();
    for (Json backend : port.get("backends").elements()) {
      backends.add(hostPort(backend));
    }
    Optional<Json> several = port.find("frontends");
    List<Json> frontends =
        several.isPresent() ? several.get().elements() : List.of(port.get("frontend"));
    for (Json frontend : frontends) {
      String protocol = frontend.find("protocol").orElseGet(() -> port.get("protocol")).text();
      rows.add(
          new Row(
              service,
              hostPort(frontend) + "/" + protocol.toLowerCase(java.util.Locale.ROOT),
              backends));
    }
  }

  private static String hostPort(Json object) {
    return Family.hostPort(object.get("address").text(), (int) object.get("port").number());
  }

  /** The rows of a Service. */
  public List<Row> of(String service) {
    return rows.stream().filter(row -> row.service().equals(service)).toList();
  }

  /** The address of a Service's frontends in a family. */
  public Optional<String> clusterIp(String service, Family family) {
    return of(service).stream()
        .map(row -> row.frontend().replaceFirst(":\\d+/\\w+$", ""))
        .filter(address -> address.startsWith("[") == (family == Family.IPV6))
        .map(address -> address.replaceAll("[\\[\\]]", ""))
        .findFirst();
  }

  /** The backends behind a frontend. */
  public Set<String> backends(String address, int port, String protocol) {
    String frontend = Family.hostPort(address, port) + "/" + protocol;
    return rows.stream()
        .filter(row -> row.frontend().equals(frontend))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no frontend " + frontend + " in " + this))
        .backends();
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    rows.forEach(
        row ->
            text.append(row.service())
                .append(' ')
                .append(row.frontend())
                .append(" -> ")
                .append(row.backends())
                .append('\n'));
    return text.toString();
  }
}
