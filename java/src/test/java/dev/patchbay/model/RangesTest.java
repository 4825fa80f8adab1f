// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.model;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Values that a source must have refused do not get into the model. */
class RangesTest {
  @ParameterizedTest
  @ValueSource(ints = {-1, 0, 65536})
  void ports(int port) {
    assertThatThrownBy(() -> new ServicePort("", Protocol.TCP, port, "80", 0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new EndpointPort("", Protocol.TCP, port))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 65536})
  void nodePorts(int port) {
    assertThatThrownBy(() -> new ServicePort("", Protocol.TCP, 80, "80", port))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 86401})
  void affinity(int seconds) {
    ObjectKey key = new ObjectKey("default", "s");
    assertThatThrownBy(() -> Service.builder(key).affinitySeconds(seconds).build())
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void endpointsOfAnotherFamily() {
    Endpoint endpoint = new Endpoint(IpAddress.of("10.0.0.1"), true, true, false, "", "");
    assertThatThrownBy(
            () ->
                new EndpointSlice(
                    new ObjectKey("default", "s"), IpFamily.IPV6, List.of(), List.of(endpoint)))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
