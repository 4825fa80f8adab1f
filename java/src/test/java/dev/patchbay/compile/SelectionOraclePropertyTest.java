// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.compile;

import static java.util.Comparator.comparing;
import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.compile.Decision.Reason;
import dev.patchbay.model.Endpoint;
import dev.patchbay.model.EndpointPort;
import dev.patchbay.model.EndpointSlice;
import dev.patchbay.model.Hints;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Protocol;
import dev.patchbay.model.Service;
import dev.patchbay.model.ServicePort;
import dev.patchbay.model.TrafficPolicy;
import dev.patchbay.table.Backend;
import dev.patchbay.testkit.ServiceArbitraries;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import net.jqwik.api.statistics.Statistics;

/**
 * Selection against the rules written down once more, sentence by sentence and without regard to
 * cost, from their specifications:
 *
 * <ul>
 *   <li>KEP-1669: where no endpoint is ready, those that terminate and still serve are used; for
 *       all endpoints, and for those of the node separately;
 *   <li>KEP-2086, and the external traffic policy: {@code Local} leaves the endpoints of the node
 *       only, and topology does not apply to them;
 *   <li>KEP-2433, KEP-3015: hints are used if all ready endpoints have one and one is for this
 *       node, or this zone; node hints first;
 *   <li>EndpointSlice: an endpoint may occur in several slices; one that terminates gives way to
 *       one that does not.
 * </ul>
 */
class SelectionOraclePropertyTest {
  private static final ServicePort PORT = new ServicePort("", Protocol.TCP, 80, "80", 0);

  /** An endpoint of one slice at one port. */
  private record Entry(Endpoint endpoint, Backend backend, boolean ready, boolean draining) {}

  @Provide
  Arbitrary<List<EndpointSlice>> slices() {
    Arbitrary<EndpointPort> port =
        Arbitraries.frequency(
            Tuple.of(6, new EndpointPort("", Protocol.TCP, 8080)),
            Tuple.of(2, new EndpointPort("", Protocol.TCP, 8081)),
            Tuple.of(1, new EndpointPort("other", Protocol.TCP, 8080)),
            Tuple.of(1, new EndpointPort("", Protocol.UDP, 8080)));
    Arbitrary<EndpointSlice> slice =
        Arbitraries.frequency(Tuple.of(9, IpFamily.IPV4), Tuple.of(1, IpFamily.IPV6))
            .flatMap(
                family ->
                    Combinators.combine(
                            port.list().ofMinSize(1).ofMaxSize(2),
                            ServiceArbitraries.endpoints(family).list().ofMinSize(1).ofMaxSize(4))
                        .as(
                            (ports, endpoints) ->
                                new EndpointSlice(
                                    new ObjectKey("ns", "slice"), family, ports, endpoints)));
    return Combinators.combine(
            slice.list().ofMaxSize(3),
            Arbitraries.of(Hinting.class),
            Arbitraries.frequency(Tuple.of(4, true), Tuple.of(1, false)))
        .as(
            (list, hinting, ready) -> {
              List<EndpointSlice> named = new ArrayList<>();
              for (EndpointSlice s : list) {
                ObjectKey key = new ObjectKey("ns", "slice-" + named.size());
                List<Endpoint> endpoints =
                    s.endpoints().stream().map(e -> completed(e, hinting, ready)).toList();
                named.add(new EndpointSlice(key, s.family(), s.ports(), endpoints));
              }
              return named;
            });
  }

  /** Which hints all endpoints have; the others some have and some have not. */
  private enum Hinting {
    NEITHER,
    ZONES,
    BOTH
  }

  /** What is rare if left to chance: hints that apply, and that nobody is ready. */
  private static Endpoint completed(Endpoint e, Hinting hinting, boolean ready) {
    List<String> zones = e.hints().zones();
    List<String> nodes = e.hints().nodes();
    if (hinting != Hinting.NEITHER && zones.isEmpty()) {
      zones = List.of("z1");
    }
    if (hinting == Hinting.BOTH && nodes.isEmpty()) {
      nodes = List.of("n1");
    }
    return new Endpoint(
        e.address(),
        ready && e.ready(),
        e.serving(),
        e.terminating(),
        e.nodeName(),
        e.target(),
        new Hints(zones, nodes));
  }

  @Provide
  Arbitrary<NodeFacts> nodes() {
    return ServiceArbitraries.nodes();
  }

  @Provide
  Arbitrary<Boolean> rarely() {
    return Arbitraries.frequency(Tuple.of(7, false), Tuple.of(1, true));
  }

  @Property(tries = 5000)
  void choosesWhatTheSpecificationSays(
      @ForAll("slices") List<EndpointSlice> slices,
      @ForAll("nodes") NodeFacts node,
      @ForAll("rarely") boolean publish) {
    Service service =
        Service.builder(new ObjectKey("ns", "s")).publishNotReadyAddresses(publish).build();
    Selection selection = EndpointSelection.select(service, PORT, IpFamily.IPV4, slices, node);
    Collection<Entry> entries = merged(entries(slices, publish), node);

    List<Backend> cluster = cluster(entries, node);
    List<Backend> local = local(entries, node);
    boolean any = entries.stream().anyMatch(e -> e.ready || e.draining);
    assertThat(selection.cluster()).isEqualTo(cluster);
    assertThat(selection.local()).isEqualTo(local);
    assertThat(selection.anyUsable()).isEqualTo(any);

    checkDecisions(selection, slices, entries, node);
    checkRemarks(selection, entries, node);
    long ready = entries.stream().filter(e -> e.ready).count();
    Statistics.label("cluster")
        .collect(
            entries.isEmpty()
                ? "nothing"
                : ready == 0
                    ? (any ? "fallback" : "none")
                    : cluster.size() < ready ? "hints" : "all")
        .coverage(
            checker -> {
              checker.check("fallback").percentage(p -> p > 2);
              checker.check("none").percentage(p -> p > 1);
              checker.check("hints").percentage(p -> p > 3);
              checker.check("all").percentage(p -> p > 20);
            });
    Statistics.label("local")
        .collect(local.isEmpty() ? (any ? "forbidden" : "none") : "some")
        .coverage(
            checker -> {
              checker.check("forbidden").percentage(p -> p > 5);
              checker.check("some").percentage(p -> p > 10);
            });
  }

  private static List<Entry> entries(List<EndpointSlice> slices, boolean publish) {
    List<Entry> entries = new ArrayList<>();
    for (EndpointSlice slice : slices) {
      for (Endpoint e : slice.endpoints()) {
        for (EndpointPort port : slice.ports()) {
          if (slice.family() == IpFamily.IPV4
              && port.name().equals("")
              && port.protocol() == Protocol.TCP) {
            boolean ready = e.ready() || publish;
            boolean draining = !ready && e.serving() && e.terminating();
            entries.add(new Entry(e, new Backend(e.address(), port.port()), ready, draining));
          }
        }
      }
    }
    return entries;
  }

  /** One entry for each address and port: the best, and of equals the first. */
  private static Collection<Entry> merged(List<Entry> entries, NodeFacts node) {
    Map<Backend, List<Entry>> byBackend =
        entries.stream().collect(Collectors.groupingBy(Entry::backend));
    return byBackend.values().stream()
        .map(
            same ->
                same.stream()
                    .min(
                        comparing((Entry e) -> e.endpoint.terminating())
                            .thenComparing(e -> !e.ready)
                            .thenComparing(e -> !e.draining)
                            .thenComparing(e -> !isHere(e, node)))
                    .orElseThrow())
        .toList();
  }

  private static boolean isHere(Entry entry, NodeFacts node) {
    return entry.endpoint.nodeName().equals(node.nodeName());
  }

  private static List<Backend> sorted(Collection<Entry> entries, Predicate<Entry> which) {
    return entries.stream().filter(which).map(Entry::backend).sorted().toList();
  }

  private static boolean forNode(Entry entry, NodeFacts node) {
    return entry.endpoint.hints().nodes().contains(node.nodeName());
  }

  private static boolean forZone(Entry entry, NodeFacts node) {
    return entry.endpoint.hints().zones().contains(node.zone());
  }

  private static boolean nodeHintsApply(List<Entry> ready, NodeFacts node) {
    return ready.stream().noneMatch(e -> e.endpoint.hints().nodes().isEmpty())
        && ready.stream().anyMatch(e -> forNode(e, node));
  }

  private static boolean zoneHintsApply(List<Entry> ready, NodeFacts node) {
    return ready.stream().noneMatch(e -> e.endpoint.hints().zones().isEmpty())
        && ready.stream().anyMatch(e -> forZone(e, node));
  }

  private static List<Backend> cluster(Collection<Entry> entries, NodeFacts node) {
    List<Entry> ready = entries.stream().filter(Entry::ready).toList();
    if (ready.isEmpty()) {
      return sorted(entries, Entry::draining);
    }
    if (nodeHintsApply(ready, node)) {
      return sorted(ready, e -> forNode(e, node));
    }
    if (zoneHintsApply(ready, node)) {
      return sorted(ready, e -> forZone(e, node));
    }
    return sorted(ready, e -> true);
  }

  private static List<Backend> local(Collection<Entry> entries, NodeFacts node) {
    List<Entry> here = entries.stream().filter(e -> isHere(e, node)).toList();
    return here.stream().anyMatch(Entry::ready)
        ? sorted(here, Entry::ready)
        : sorted(here, Entry::draining);
  }

  /** Every endpoint has one decision for each matching port, with reasons that hold. */
  private static void checkDecisions(
      Selection selection, List<EndpointSlice> slices, Collection<Entry> entries, NodeFacts node) {
    List<String> expected = new ArrayList<>();
    for (EndpointSlice slice : slices) {
      if (slice.family() == IpFamily.IPV6) {
        continue;
      }
      for (Endpoint e : slice.endpoints()) {
        int before = expected.size();
        for (EndpointPort port : slice.ports()) {
          if (port.name().isEmpty() && port.protocol() == Protocol.TCP) {
            expected.add(slice.key() + " " + e.address() + " " + port.port());
          }
        }
        if (expected.size() == before) {
          expected.add(slice.key() + " " + e.address() + " none");
        }
      }
    }
    List<String> actual = new ArrayList<>();
    for (Decision d : selection.decisions()) {
      Backend backend = d.backend();
      String port = backend == null ? "none" : Integer.toString(backend.port());
      actual.add(d.slice() + " " + d.endpoint().address() + " " + port);
      for (TrafficPolicy policy : TrafficPolicy.values()) {
        assertThat(holds(d, d.reason(policy), policy, selection, entries, node))
            .as("%s because of %s under %s", d, d.reason(policy), policy)
            .isTrue();
        assertThat(d.sentence(policy, node)).isNotEmpty().doesNotEndWith(".");
      }
    }
    assertThat(actual).isEqualTo(expected);
    for (TrafficPolicy policy : TrafficPolicy.values()) {
      assertThat(
              selection.decisions().stream()
                  .filter(d -> d.reason(policy).chosen())
                  .map(Decision::backend)
                  .sorted())
          .isEqualTo(selection.chosen(policy));
    }
  }

  private static boolean holds(
      Decision d,
      Reason reason,
      TrafficPolicy policy,
      Selection selection,
      Collection<Entry> entries,
      NodeFacts node) {
    Endpoint e = d.endpoint();
    boolean local = policy == TrafficPolicy.LOCAL;
    boolean here = e.nodeName().equals(node.nodeName());
    boolean readyInReach = entries.stream().anyMatch(x -> x.ready && (!local || isHere(x, node)));
    List<Entry> ready = entries.stream().filter(Entry::ready).toList();
    return switch (reason) {
      case READY -> e.ready() && (!local || here);
      case NOT_READY_BUT_PUBLISHED -> !e.ready() && (!local || here);
      case SERVING_WHILE_TERMINATING -> !local && e.serving() && e.terminating() && !readyInReach;
      case SERVING_HERE_WHILE_TERMINATING ->
          local && here && e.serving() && e.terminating() && !readyInReach;
      case HINTED_FOR_OTHER_ZONE ->
          !local
              && !e.hints().zones().isEmpty()
              && !e.hints().zones().contains(node.zone())
              && zoneHintsApply(ready, node)
              && !nodeHintsApply(ready, node);
      case HINTED_FOR_OTHER_NODE ->
          !local
              && !e.hints().nodes().isEmpty()
              && !e.hints().nodes().contains(node.nodeName())
              && nodeHintsApply(ready, node);
      case OTHER_NODE -> local && !here && !e.nodeName().isEmpty();
      case NODE_UNKNOWN -> local && e.nodeName().isEmpty();
      case NOT_READY -> !e.ready() && !e.terminating();
      case TERMINATING -> !e.ready() && e.serving() && e.terminating() && readyInReach;
      case TERMINATED -> !e.ready() && !e.serving() && e.terminating();
      case NO_SUCH_PORT -> d.backend() == null;
      case DUPLICATE ->
          d.backend() != null
              && selection.decisions().stream()
                      .filter(o -> Objects.equals(o.backend(), d.backend()))
                      .filter(o -> o.reason(policy) != Reason.DUPLICATE)
                      .count()
                  == 1;
      case OVER_LIMIT -> false;
    };
  }

  /** Hints that are there and have no effect are remarked upon, and only they. */
  private static void checkRemarks(Selection selection, Collection<Entry> entries, NodeFacts node) {
    List<Entry> ready = entries.stream().filter(Entry::ready).toList();
    boolean nodeHints = ready.stream().anyMatch(e -> !e.endpoint.hints().nodes().isEmpty());
    boolean zoneHints = ready.stream().anyMatch(e -> !e.endpoint.hints().zones().isEmpty());
    boolean byNode = nodeHints && nodeHintsApply(ready, node);
    boolean byZone = zoneHints && zoneHintsApply(ready, node);
    List<String> kinds = new ArrayList<>();
    if (nodeHints && !byNode) {
      kinds.add("node hints are ignored");
    }
    if (zoneHints && !byNode && !byZone) {
      kinds.add("zone hints are ignored");
    }
    assertThat(selection.remarks().stream().map(r -> r.replaceAll(":.*", ""))).isEqualTo(kinds);
  }
}
