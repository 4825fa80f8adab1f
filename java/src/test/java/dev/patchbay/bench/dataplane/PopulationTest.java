// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.Family;
import dev.patchbay.lab.Json;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.Test;

class PopulationTest {
  @Test
  void everyEndpointHasItsOwnAddress() {
    for (Family family : Family.values()) {
      int services = 20_000;
      assertThat(new HashSet<>(Population.allServers(family, services)))
          .hasSize(services * Population.ENDPOINTS)
          .doesNotContainAnyElementsOf(Population.servers(family, Population.UDP))
          .doesNotContainAnyElementsOf(Population.servers(family, Population.STICKY));
    }
  }

  @Test
  void addressesAreInTheirRanges() {
    assertThat(Population.address(Family.IPV4, 0).getAddress().getHostAddress())
        .isEqualTo("10.96.16.0");
    assertThat(Population.address(Family.IPV4, 9_999).getAddress().getHostAddress())
        .isEqualTo("10.96.55.15");
    assertThat(Population.address(Family.IPV6, 9_999).getAddress().getHostAddress())
        .isEqualTo("fd00:10:96:0:0:0:0:370f");
    assertThat(Population.servers(Family.IPV6, 0).getFirst().getAddress().getHostAddress())
        .startsWith("fd00:10:128:0:0:0:0:");
    assertThat(Population.servers(Family.IPV4, 99_999).getLast().getAddress().getHostAddress())
        .startsWith("10.143.");
  }

  @Test
  void aServiceAndItsSlicesBelongTogether() {
    List<Json> objects =
        Population.objects(3, 4, List.of(Family.IPV4, Family.IPV6)).stream()
            .map(object -> Json.parse(Json.write(object)))
            .toList();
    assertThat(objects).hasSize(3);
    Json service = objects.getFirst();
    assertThat(service.get("spec").get("clusterIPs").elements()).hasSize(2);
    for (Json slice : objects.subList(1, 3)) {
      assertThat(slice.get("metadata").get("labels").get("kubernetes.io/service-name").text())
          .isEqualTo(service.get("metadata").get("name").text());
      assertThat(slice.get("endpoints").elements()).hasSize(Population.ENDPOINTS);
    }
  }
}
