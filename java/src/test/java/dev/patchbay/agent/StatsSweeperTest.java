// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import static dev.patchbay.testkit.ServiceBuilder.ready;
import static dev.patchbay.testkit.ServiceBuilder.service;
import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.Protocol;
import dev.patchbay.model.ServiceOptions;
import dev.patchbay.model.ServicePortKey;
import dev.patchbay.model.ServiceState;
import dev.patchbay.observe.BackendStatsKey;
import dev.patchbay.table.Backend;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class StatsSweeperTest {
  @Test
  void onlyWhatWasGoneTwiceInARowIsForgotten() {
    StatsSweeper.Gone<String> gone = new StatsSweeper.Gone<>();

    assertThat(gone.still(Set.of("a", "b", "c"), Set.of("a"))).isEmpty();
    assertThat(gone.still(Set.of("a", "b", "c", "d"), Set.of("a", "c"))).containsExactly("b");
    assertThat(gone.still(Set.of("a", "c", "d"), Set.of("a"))).containsExactly("d");
    assertThat(gone.still(Set.of("a", "c"), Set.of("a", "c"))).isEmpty();
    assertThat(gone.still(Set.of("a", "c"), Set.of("a"))).as("it came back in between").isEmpty();
  }

  @Test
  void rowsOfServicesThatAreThereAreKnown() {
    ServiceState state =
        service("kubia").clusterIps("10.96.0.1").port(80).slice(8080, ready("10.1.0.1")).build();
    ServicePortKey key = new ServicePortKey(state.key(), "", Protocol.TCP, IpFamily.IPV4);

    assertThat(StatsSweeper.ids(List.of(state)))
        .contains(key.statsId())
        .hasSize(4)
        .doesNotContain(
            new ServicePortKey(state.key(), "x", Protocol.TCP, IpFamily.IPV4).statsId());
    assertThat(StatsSweeper.backends(List.of(state))).as("nobody asks for it").isEmpty();
    ServiceState asking =
        new ServiceState(
            state.service().toBuilder().options(new ServiceOptions(false, true)).build(),
            state.slices(),
            List.of());
    assertThat(StatsSweeper.backends(List.of(asking)))
        .contains(new BackendStatsKey(key.statsId(), new Backend(IpAddress.of("10.1.0.1"), 8080)))
        .hasSize(2);
  }
}
