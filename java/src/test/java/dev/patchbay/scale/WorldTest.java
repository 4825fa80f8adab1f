// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.scale;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.model.Endpoint;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.ServiceState;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class WorldTest {
  private static Set<IpAddress> endpoints(ServiceState state) {
    return new HashSet<>(
        state.slices().getFirst().endpoints().stream().map(Endpoint::address).toList());
  }

  @Test
  void noTwoOfAHundredThousandServicesShareAnAddress() {
    Set<IpAddress> clusterIps = new HashSet<>();
    Set<IpAddress> endpoints = endpoints(World.large(100_000, 0, 1000, 1));
    int count = 100_000;
    for (int i = 0; i < count; i++) {
      ServiceState state = World.service(i, 0);
      clusterIps.addAll(state.service().clusterIps());
      endpoints.addAll(endpoints(state));
    }
    assertThat(clusterIps).hasSize(count);
    assertThat(endpoints).hasSize(count * World.ENDPOINTS + 1000);
  }

  @Test
  void eachVersionReplacesSomeEndpoints() {
    for (List<ServiceState> pair :
        List.of(
            List.of(World.service(3, 0), World.service(3, 1)),
            List.of(World.large(3, 0, 10, 1), World.large(3, 1, 10, 1)))) {
      Set<IpAddress> left = endpoints(pair.getFirst());
      left.removeAll(endpoints(pair.getLast()));
      assertThat(left).hasSize(1);
    }
  }
}
