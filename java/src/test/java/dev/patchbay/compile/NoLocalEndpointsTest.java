// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.compile;

import static dev.patchbay.testkit.ServiceBuilder.draining;
import static dev.patchbay.testkit.ServiceBuilder.notReady;
import static dev.patchbay.testkit.ServiceBuilder.on;
import static dev.patchbay.testkit.ServiceBuilder.ready;
import static dev.patchbay.testkit.ServiceBuilder.service;
import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.model.Endpoint;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.Protocol;
import dev.patchbay.model.ServiceType;
import dev.patchbay.model.TrafficPolicy;
import dev.patchbay.testkit.ServiceBuilder;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The cases of kube-proxy's TestNoEndpointsMetric, and those beside them. */
class NoLocalEndpointsTest {
  private static final NodeFacts HERE = NodeFacts.named("here");

  private static ServiceBuilder kubia() {
    return service("kubia").clusterIps("10.96.0.1", "fd00:10:96::1").port(80);
  }

  private static NoLocalEndpoints of(ServiceBuilder builder) {
    return NoLocalEndpoints.of(builder.build(), HERE);
  }

  @Test
  void policyClusterNeverCounts() {
    assertThat(of(kubia().slice(8080, on("there", ready("10.1.0.1")))))
        .isEqualTo(NoLocalEndpoints.NONE);
  }

  @Test
  void internalPolicyCountsWhereEndpointsAreOnlyElsewhere() {
    assertThat(
            of(
                kubia()
                    .internalPolicy(TrafficPolicy.LOCAL)
                    .slice(8080, on("there", ready("10.1.0.1")))))
        .isEqualTo(new NoLocalEndpoints(1, 0, 0, 0));
  }

  @Test
  void endpointHereThatIsReadyOrStillServesIsEnough() {
    for (Endpoint here : List.of(ready("10.1.0.2"), draining("10.1.0.2"))) {
      assertThat(
              of(
                  kubia()
                      .internalPolicy(TrafficPolicy.LOCAL)
                      .slice(8080, on("there", ready("10.1.0.1")), on("here", here))))
          .isEqualTo(NoLocalEndpoints.NONE);
    }
  }

  @Test
  void endpointHereThatIsNotReadyIsNone() {
    assertThat(
            of(
                kubia()
                    .internalPolicy(TrafficPolicy.LOCAL)
                    .slice(8080, on("there", ready("10.1.0.1")), on("here", notReady("10.1.0.2")))))
        .isEqualTo(new NoLocalEndpoints(1, 0, 0, 0));
  }

  @Test
  void withoutAnyEndpointAnywhereNobodyIsToldOfALocalOne() {
    assertThat(
            of(
                kubia()
                    .internalPolicy(TrafficPolicy.LOCAL)
                    .slice(8080, on("there", notReady("10.1.0.1")))))
        .isEqualTo(NoLocalEndpoints.NONE);
  }

  @Test
  void externalPolicyCountsOnlyIfSomebodyOutsideCanAsk() {
    ServiceBuilder inside =
        kubia()
            .externalPolicy(TrafficPolicy.LOCAL)
            .slice(8080, on("there", ready("10.1.0.1")))
            .slice(8080, on("there", ready("fd00::1")));

    assertThat(of(inside)).isEqualTo(NoLocalEndpoints.NONE);
    assertThat(of(inside.type(ServiceType.NODE_PORT))).isEqualTo(new NoLocalEndpoints(0, 0, 1, 1));
    assertThat(of(inside.internalPolicy(TrafficPolicy.LOCAL)))
        .isEqualTo(new NoLocalEndpoints(1, 1, 1, 1));
  }

  @Test
  void eachPortCountsAndAFamilyWithoutAClusterIpDoesNot() {
    assertThat(
            of(
                service("kubia")
                    .clusterIps("10.96.0.1")
                    .internalPolicy(TrafficPolicy.LOCAL)
                    .port("a", Protocol.TCP, 80)
                    .port("b", Protocol.UDP, 80)
                    .slice("a", 8080, on("there", ready("10.1.0.1")))
                    .slice("b", 8080, on("there", ready("fd00::1")))))
        .isEqualTo(new NoLocalEndpoints(1, 0, 0, 0));
  }

  @Test
  void sumsComeAndGo() {
    NoLocalEndpoints one = new NoLocalEndpoints(1, 2, 3, 4);

    assertThat(NoLocalEndpoints.NONE.plus(one).plus(one).minus(one)).isEqualTo(one);
  }
}
