// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.compile;

import static dev.patchbay.compile.Decision.Reason.DUPLICATE;
import static dev.patchbay.compile.Decision.Reason.NOT_READY;
import static dev.patchbay.compile.Decision.Reason.NOT_READY_BUT_PUBLISHED;
import static dev.patchbay.compile.Decision.Reason.NO_SUCH_PORT;
import static dev.patchbay.compile.Decision.Reason.OVER_LIMIT;
import static dev.patchbay.compile.Decision.Reason.READY;
import static dev.patchbay.compile.Decision.Reason.SERVING_WHILE_TERMINATING;
import static dev.patchbay.compile.Decision.Reason.TERMINATED;
import static dev.patchbay.compile.Decision.Reason.TERMINATING;
import static dev.patchbay.testkit.ServiceBuilder.draining;
import static dev.patchbay.testkit.ServiceBuilder.notReady;
import static dev.patchbay.testkit.ServiceBuilder.ready;
import static dev.patchbay.testkit.ServiceBuilder.service;
import static dev.patchbay.testkit.ServiceBuilder.terminated;
import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.compile.Decision.Reason;
import dev.patchbay.model.Endpoint;
import dev.patchbay.model.EndpointPort;
import dev.patchbay.model.EndpointSlice;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.Protocol;
import dev.patchbay.model.ServicePort;
import dev.patchbay.model.ServiceState;
import dev.patchbay.table.Backend;
import dev.patchbay.testkit.ServiceArbitraries;
import dev.patchbay.testkit.ServiceBuilder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class EndpointSelectionTest {
  private static final NodeFacts NODE = NodeFacts.named("node");
  private static final ServicePort UNNAMED = new ServicePort("", Protocol.TCP, 80, "8080", 0);

  private static Selection select(ServiceBuilder builder) {
    return select(builder.build(), IpFamily.IPV4);
  }

  private static Selection select(ServiceState state, IpFamily family) {
    return EndpointSelection.select(state.service(), UNNAMED, family, state.slices(), NODE);
  }

  private static List<Reason> reasons(Selection selection) {
    return selection.decisions().stream().map(Decision::cluster).toList();
  }

  private static List<String> chosen(Selection selection) {
    return selection.cluster().stream().map(Backend::toString).toList();
  }

  static Stream<Arguments> readinessRules() {
    return Stream.of(
        rule("all ready are chosen, sorted")
            .slice(8080, ready("10.0.0.10"), ready("10.0.0.9"))
            .expect("10.0.0.9:8080 10.0.0.10:8080", READY, READY),
        rule("not ready is left out")
            .slice(8080, ready("10.0.0.1"), notReady("10.0.0.2"))
            .expect("10.0.0.1:8080", READY, NOT_READY),
        rule("none ready, none serving: nobody")
            .slice(8080, notReady("10.0.0.1"), terminated("10.0.0.2"))
            .expect("", NOT_READY, TERMINATED),
        rule("terminating is left out while another is ready")
            .slice(8080, draining("10.0.0.1"), ready("10.0.0.2"))
            .expect("10.0.0.2:8080", TERMINATING, READY),
        rule("terminating but serving is the fallback")
            .slice(8080, draining("10.0.0.1"), notReady("10.0.0.2"), terminated("10.0.0.3"))
            .expect("10.0.0.1:8080", SERVING_WHILE_TERMINATING, NOT_READY, TERMINATED),
        rule("the fallback looks at all slices together")
            .slice(8080, draining("10.0.0.1"))
            .slice(8080, ready("10.0.0.2"))
            .expect("10.0.0.2:8080", TERMINATING, READY),
        rule("serving without terminating is no fallback")
            .slice(8080, endpoint("10.0.0.1", false, true, false))
            .expect("", NOT_READY),
        rule("published though not ready")
            .publishNotReady()
            .slice(8080, notReady("10.0.0.1"), ready("10.0.0.2"), terminated("10.0.0.3"))
            .expect(
                "10.0.0.1:8080 10.0.0.2:8080 10.0.0.3:8080",
                NOT_READY_BUT_PUBLISHED,
                READY,
                NOT_READY_BUT_PUBLISHED),
        rule("ready and terminating counts as ready")
            .slice(8080, endpoint("10.0.0.1", true, true, true), draining("10.0.0.2"))
            .expect("10.0.0.1:8080", READY, TERMINATING),
        rule("duplicate in another slice")
            .slice(8080, ready("10.0.0.1"))
            .slice(8080, ready("10.0.0.1"), ready("10.0.0.2"))
            .expect("10.0.0.1:8080 10.0.0.2:8080", READY, DUPLICATE, READY),
        rule("of duplicates the best state counts, if it comes last")
            .slice(8080, notReady("10.0.0.1"))
            .slice(8080, draining("10.0.0.1"))
            .slice(8080, ready("10.0.0.1"))
            .expect("10.0.0.1:8080", DUPLICATE, DUPLICATE, READY),
        rule("of duplicates the best state counts, if it comes first")
            .slice(8080, ready("10.0.0.1"))
            .slice(8080, notReady("10.0.0.1"))
            .expect("10.0.0.1:8080", READY, DUPLICATE),
        rule("of duplicates that terminate the best state counts")
            .slice(8080, terminated("10.0.0.1"))
            .slice(8080, draining("10.0.0.1"))
            .expect("10.0.0.1:8080", DUPLICATE, SERVING_WHILE_TERMINATING),
        rule("an address given to a new Pod is no longer that of the one that terminates")
            .slice(8080, draining("10.0.0.1"))
            .slice(8080, notReady("10.0.0.1"))
            .expect("", DUPLICATE, NOT_READY),
        rule("the same, the new Pod listed first")
            .slice(8080, notReady("10.0.0.1"))
            .slice(8080, draining("10.0.0.1"))
            .expect("", NOT_READY, DUPLICATE),
        rule("one address, two ports: two backends")
            .slice(8080, ready("10.0.0.1"))
            .slice(8081, ready("10.0.0.1"))
            .expect("10.0.0.1:8080 10.0.0.1:8081", READY, READY),
        rule("other family is passed over")
            .slice(8080, ready("fd00::1"))
            .slice(8080, ready("10.0.0.1"))
            .expect("10.0.0.1:8080", READY));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("readinessRules")
  void readiness(String name, ServiceBuilder builder, String backends, List<Reason> expected) {
    Selection selection = select(builder);
    assertThat(String.join(" ", chosen(selection))).isEqualTo(backends);
    assertThat(reasons(selection)).isEqualTo(expected);
  }

  @Test
  void noSlices() {
    assertThat(select(service("s")))
        .isEqualTo(new Selection(List.of(), List.of(), false, List.of(), List.of()));
  }

  @Test
  void portsMatchByNameAndProtocol() {
    ServiceBuilder builder =
        service("s")
            .slice(
                List.of(
                    new EndpointPort("dns", Protocol.UDP, 1053),
                    new EndpointPort("dns-tcp", Protocol.TCP, 1054)),
                ready("10.0.0.1"))
            .slice(List.of(new EndpointPort("dns", Protocol.TCP, 1055)), ready("10.0.0.2"))
            .slice(List.of(new EndpointPort("dns", Protocol.UDP, 1056)), ready("10.0.0.3"))
            .slice(List.of(), ready("10.0.0.4"));
    ServicePort port = new ServicePort("dns", Protocol.UDP, 53, "dns", 0);
    ServiceState state = builder.build();
    Selection selection =
        EndpointSelection.select(state.service(), port, IpFamily.IPV4, state.slices(), NODE);
    assertThat(chosen(selection)).containsExactly("10.0.0.1:1053", "10.0.0.3:1056");
    assertThat(reasons(selection)).containsExactly(READY, NO_SUCH_PORT, READY, NO_SUCH_PORT);
    assertThat(selection.decisions().get(1).backend()).isNull();
  }

  @Test
  void beyondTheLimitTheLowestStay() {
    ServiceState state =
        service("s")
            .slice(8080, ready("10.0.0.4"), ready("10.0.0.1"), notReady("10.0.0.9"))
            .slice(8080, ready("10.0.0.3"), ready("10.0.0.2"))
            .build();
    Selection selection =
        EndpointSelection.Candidates.of(
                state.service(), UNNAMED, IpFamily.IPV4, state.slices(), NODE)
            .explained(2);
    assertThat(chosen(selection)).containsExactly("10.0.0.1:8080", "10.0.0.2:8080");
    assertThat(reasons(selection)).containsExactly(OVER_LIMIT, READY, NOT_READY, OVER_LIMIT, READY);
  }

  @Property
  void eachChosenBackendHasExactlyOneDecisionThatSaysSo(
      @ForAll("services") ServiceState state, @ForAll IpFamily family) {
    for (ServicePort port : state.service().ports()) {
      Selection selection =
          EndpointSelection.select(state.service(), port, family, state.slices(), NODE);
      assertThat(
              selection.decisions().stream()
                  .filter(decision -> decision.cluster().chosen())
                  .map(Decision::backend)
                  .sorted())
          .isEqualTo(selection.cluster());
    }
  }

  @Property
  void orderOfSlicesDoesNotMatter(@ForAll("services") ServiceState state) {
    List<EndpointSlice> reversed = new ArrayList<>(state.slices());
    Collections.reverse(reversed);
    for (ServicePort port : state.service().ports()) {
      assertThat(
              EndpointSelection.select(state.service(), port, IpFamily.IPV4, reversed, NODE)
                  .cluster())
          .isEqualTo(
              EndpointSelection.select(state.service(), port, IpFamily.IPV4, state.slices(), NODE)
                  .cluster());
    }
  }

  @Provide
  Arbitrary<ServiceState> services() {
    return ServiceArbitraries.services();
  }

  private static Endpoint endpoint(
      String address, boolean ready, boolean serving, boolean terminating) {
    return new Endpoint(IpAddress.of(address), ready, serving, terminating, "", "");
  }

  private static Rule rule(String name) {
    return new Rule(name, service("s"));
  }

  /** A row of the table: a name, a Service, and what is expected of it. */
  private record Rule(String name, ServiceBuilder service) {
    Rule slice(int port, Endpoint... endpoints) {
      service.slice(port, endpoints);
      return this;
    }

    Rule publishNotReady() {
      service.publishNotReady();
      return this;
    }

    Arguments expect(String backends, Reason... reasons) {
      return Arguments.of(name, service, backends, List.of(reasons));
    }
  }
}
