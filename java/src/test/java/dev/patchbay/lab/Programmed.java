// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * What {@code patchbay services -o json} says, as {@code java/docs/json.md} describes it.
 *
 * @param rows one for each frontend, ordered by address
 */
public record Programmed(List<Row> rows) {
  /** Stands for the Service of a frontend that nobody knows. */
  private static final String UNKNOWN = "?";

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
    for (Json entry : Json.parse(text).get("services").elements()) {
      Set<String> backends = new TreeSet<>();
      entry.get("backends").elements().forEach(backend -> backends.add(hostPort(backend)));
      Json frontend = entry.get("frontend");
      String protocol = frontend.get("protocol").text().toLowerCase(Locale.ROOT);
      rows.add(
          new Row(
              entry.find("name").isPresent() ? name(entry) : UNKNOWN,
              hostPort(frontend) + "/" + protocol,
              backends));
    }
    return new Programmed(rows);
  }

  private static String name(Json service) {
    return service.get("namespace").text() + "/" + service.get("name").text();
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
