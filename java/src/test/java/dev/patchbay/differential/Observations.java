// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.differential;

import static java.util.stream.Collectors.toSet;

import dev.patchbay.lab.Client;
import dev.patchbay.lab.Json;
import dev.patchbay.lab.Outcome;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * What one client saw behind one of the proxies: for each destination the servers, as {@code
 * NAME:PORT}, and the errors. Thread-confined while it is filled.
 */
final class Observations {
  /** What a datagram or a connection without an answer is. */
  static final String TIMEOUT = "TIMEOUT";

  /** Comes before an outcome if the node's own packet filter did not let the datagram out. */
  private static final String NOT_PERMITTED = "EPERM+";

  /** What the lab answers for {@link Outcome#NOT_TRANSLATED} in IPv6, behind kube-proxy. */
  private static final String PROHIBITED = "EACCES";

  private final Map<Destination.Key, Set<String>> outcomes = new HashMap<>();
  private final Client client;
  private final List<Destination> destinations;
  private long exchanges;

  Observations(Client client, List<Destination> destinations) {
    this.client = client;
    this.destinations = destinations;
  }

  /** Looks at each destination. */
  void take(Client.Tries tries) {
    take(destinations, tries);
  }

  /**
   * Looks at some again. Whatever answered before counts still; that nobody did may have been for
   * lack of time.
   */
  void takeAgain(Set<Destination.Key> some, Client.Tries tries) {
    some.forEach(
        key -> outcomes.getOrDefault(key, new TreeSet<>()).removeIf(o -> o.endsWith(TIMEOUT)));
    take(destinations.stream().filter(d -> some.contains(d.key())).toList(), tries);
  }

  private void take(List<Destination> some, Client.Tries tries) {
    List<Client.Exchange> targets = some.stream().map(Destination::target).toList();
    List<Map<String, Long>> results = client.survey(targets, tries);
    for (int i = 0; i < some.size(); i++) {
      Map<String, Long> result = results.get(i);
      Set<String> known = outcomes.computeIfAbsent(some.get(i).key(), k -> new TreeSet<>());
      for (String outcome : result.keySet()) {
        known.add(outcome.replace(PROHIBITED, Outcome.NOT_TRANSLATED));
      }
      exchanges += result.values().stream().mapToLong(Long::longValue).sum();
    }
  }

  /** What came of a destination; empty if it is none. */
  Set<String> at(Destination.Key key) {
    Set<String> found = outcomes.getOrDefault(key, Set.of());
    return isNotPermitted(key)
        ? found.stream().map(o -> o.substring(NOT_PERMITTED.length())).collect(toSet())
        : found;
  }

  /** Whether datagrams to a destination always fail with {@code EPERM}, besides what comes then. */
  boolean isNotPermitted(Destination.Key key) {
    Set<String> found = outcomes.getOrDefault(key, Set.of());
    return !found.isEmpty() && found.stream().allMatch(o -> o.startsWith(NOT_PERMITTED));
  }

  List<Destination.Key> keys() {
    List<Destination.Key> keys = new ArrayList<>();
    destinations.forEach(destination -> keys.add(destination.key()));
    return keys;
  }

  /** How many exchanges there were. */
  long exchanges() {
    return exchanges;
  }

  /** Whether all outcomes are servers. */
  static boolean areServers(Set<String> outcomes) {
    return !outcomes.isEmpty() && outcomes.stream().allMatch(o -> o.indexOf(':') > 0);
  }

  /** Whether a Service has session affinity. */
  static boolean isSticky(Json service) {
    return service
        .get("spec")
        .find("sessionAffinity")
        .map(Json::text)
        .filter("ClientIP"::equals)
        .isPresent();
  }
}
