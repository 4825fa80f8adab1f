// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.differential;

import static dev.patchbay.differential.Observations.TIMEOUT;

import dev.patchbay.lab.Client;
import dev.patchbay.lab.Json;
import dev.patchbay.lab.Outcome;
import dev.patchbay.lab.Patchbay;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * A difference that is meant, with exactly what it looks like; its reason is in the row of {@code
 * java/docs/kube-proxy-differences.md} that begins with its identifier.
 *
 * @param id in lower case, with hyphens
 */
record Rule(String id, Predicate<Difference> matches) {
  private static final Pattern ROW = Pattern.compile("(?m)^\\| `([a-z0-9-]+)` \\|");

  static final List<Rule> ALL =
      List.of(
          new Rule(
              "datagram-not-permitted",
              d -> d.notPermitted() && d.view() == View.NODE && d.at().kind() == Client.Kind.UDP),
          new Rule(
              "cluster-ip-of-nobody",
              d ->
                  (d.at().place() == Place.CLUSTER_IP || d.at().place() == Place.OTHER_PORT)
                      && isOfAnotherProxy(d)
                      && d.kubeProxy().equals(Set.of(TIMEOUT))
                      && d.patchbay().equals(Set.of(Outcome.NOT_TRANSLATED))),
          new Rule(
              "local-policy-without-endpoint",
              d ->
                  d.at().place() == Place.CLUSTER_IP
                      && is(d, "internalTrafficPolicy", "Local")
                      && d.kubeProxy().equals(Set.of(TIMEOUT))
                      && d.patchbay().equals(Set.of("EHOSTUNREACH"))),
          new Rule(
              "node-port-on-loopback",
              d ->
                  d.at().place() == Place.NODE_PORT_LOOPBACK
                      && d.view() == View.NODE
                      && d.kubeProxy().equals(Set.of(Outcome.REFUSED))
                      && d.likeNodePort()),
          new Rule(
              "node-port-on-other-addresses",
              d ->
                  d.at().place() == Place.NODE_PORT_SECOND
                      && d.kubeProxy().equals(Set.of(Outcome.REFUSED))
                      && d.likeNodePort()),
          new Rule(
              "source-ranges",
              d ->
                  d.at().place() == Place.LOAD_BALANCER
                      && d.spec().find("loadBalancerSourceRanges").isPresent()
                      && d.kubeProxy().equals(Set.of(TIMEOUT))
                      && (d.likeNodePort() || isServedWithoutNodePort(d))));

  /**
   * The rules that a difference needs, or none if they do not explain all of it: that a datagram is
   * not permitted may come on top of something else.
   */
  static List<Rule> explaining(Difference difference) {
    List<Rule> found = ALL.stream().filter(rule -> rule.matches.test(difference)).toList();
    int needed = (difference.notPermitted() ? 1 : 0) + (difference.alike() ? 0 : 1);
    return found.size() == needed ? found : List.of();
  }

  private static boolean isOfAnotherProxy(Difference difference) {
    return difference
        .service()
        .get("metadata")
        .find("labels")
        .flatMap(labels -> labels.find("service.kubernetes.io/service-proxy-name"))
        .isPresent();
  }

  private static boolean isServedWithoutNodePort(Difference difference) {
    return is(difference, "allocateLoadBalancerNodePorts", "false")
        && (Observations.areServers(difference.patchbay())
            || difference.patchbay().equals(Set.of(Outcome.REFUSED)));
  }

  private static boolean is(Difference difference, String member, String value) {
    return difference.spec().find(member).map(Json::text).filter(value::equals).isPresent();
  }

  /** The identifiers in the document, in its order. */
  static List<String> documented() {
    try {
      String text =
          Files.readString(Patchbay.root().resolve("java/docs/kube-proxy-differences.md"));
      return ROW.matcher(text).results().map(row -> row.group(1)).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
