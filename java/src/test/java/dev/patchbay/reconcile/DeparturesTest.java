// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.reconcile;

import static dev.patchbay.testkit.Rows.backends;
import static dev.patchbay.testkit.Rows.desired;
import static dev.patchbay.testkit.Rows.frontend;
import static dev.patchbay.testkit.Rows.key;
import static dev.patchbay.testkit.Rows.remove;
import static dev.patchbay.testkit.Rows.row;
import static dev.patchbay.testkit.Rows.upsert;
import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.model.IpAddress;
import dev.patchbay.model.Protocol;
import dev.patchbay.table.Backend;
import dev.patchbay.table.Capacity;
import dev.patchbay.table.DesiredChange;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.FrontendValue;
import dev.patchbay.table.Scope;
import dev.patchbay.table.ServiceRow;
import dev.patchbay.table.ServiceSettings;
import dev.patchbay.testkit.FakeDataplaneStore;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** When open sockets have to be looked at. */
class DeparturesTest {
  private static final FrontendKey UDP =
      new FrontendKey(IpAddress.of("10.96.0.10"), 53, Protocol.UDP, Scope.INTERNAL);
  private static final FrontendKey MORE =
      new FrontendKey(IpAddress.of("192.0.2.1"), 53, Protocol.UDP, Scope.INTERNAL);
  private static final FrontendKey TCP = frontend("10.96.0.10:53");
  private static final ServiceSettings TERMINATE = new ServiceSettings(0, false, true, false, 0);

  private final FakeDataplaneStore fake = new FakeDataplaneStore(new Capacity(8, 4, 32));
  private final Reconciler reconciler = Reconciler.adopt(fake, fake.load());

  private static ServiceRow udp(List<Backend> backends, FrontendKey... frontends) {
    return row("dns", List.of(frontends), backends, ServiceSettings.NONE);
  }

  private boolean departuresAfter(DesiredChange change) {
    reconciler.change(change);
    assertThat(reconciler.apply().succeeded()).isTrue();
    return reconciler.takeDepartures();
  }

  @Test
  void aBackendOfAUdpServiceThatLeaves() {
    reconciler.replaceAll(desired(udp(backends(0, 3), UDP)));
    assertThat(departuresAfter(upsert(udp(backends(0, 3), UDP)))).as("the start").isFalse();
    assertThat(departuresAfter(upsert(udp(backends(0, 4), UDP)))).as("one more").isFalse();
    assertThat(departuresAfter(upsert(udp(backends(1, 4), UDP)))).as("one for another").isTrue();
    assertThat(reconciler.takeDepartures()).as("told once").isFalse();
    assertThat(departuresAfter(upsert(udp(List.of(), UDP)))).as("all of them").isTrue();
    assertThat(departuresAfter(remove("dns"))).as("the Service, which had none").isFalse();
  }

  @Test
  void anAddressThatLeaves() {
    reconciler.replaceAll(desired(udp(backends(0, 1), UDP, MORE)));
    assertThat(departuresAfter(upsert(udp(backends(0, 1), UDP)))).isTrue();
    assertThat(departuresAfter(upsert(udp(backends(0, 1), UDP, MORE)))).isFalse();
    assertThat(departuresAfter(remove("dns"))).isTrue();
  }

  @Test
  void tcpCountsWhereTheServiceAsksForIt() {
    ServiceRow plain = row("web", List.of(TCP), backends(0, 2), ServiceSettings.NONE);
    reconciler.replaceAll(desired(plain));
    assertThat(
            departuresAfter(upsert(row("web", List.of(TCP), backends(0, 1), ServiceSettings.NONE))))
        .isFalse();
    assertThat(departuresAfter(upsert(row("web", List.of(TCP), backends(0, 1), TERMINATE))))
        .isFalse();
    assertThat(departuresAfter(upsert(row("web", List.of(TCP), backends(1, 1), TERMINATE))))
        .isTrue();
    assertThat(departuresAfter(remove("web"))).isTrue();
  }

  @Test
  void aServiceThatIsReplacedByAnotherAtItsAddress() {
    reconciler.replaceAll(desired(udp(backends(0, 1), UDP)));
    ServiceRow heir = row("heir", List.of(UDP), backends(5, 1), ServiceSettings.NONE);
    assertThat(
            departuresAfter(
                new DesiredChange(List.of(heir), Set.of(key("dns")), Map.of(), Set.of())))
        .isTrue();
  }

  @Test
  void anAddressOfANodeThatLeaves() {
    FrontendKey node = FrontendKey.wildcard(IpAddress.of("192.0.2.7"));
    FrontendKey refused = FrontendKey.wildcard(IpAddress.of("10.96.0.7"));
    assertThat(
            departuresAfter(
                new DesiredChange(
                    List.of(),
                    Set.of(),
                    Map.of(node, FrontendValue.NODE_ADDRESS, refused, FrontendValue.REFUSE),
                    Set.of())))
        .isFalse();
    assertThat(departuresAfter(new DesiredChange(List.of(), Set.of(), Map.of(), Set.of(refused))))
        .isFalse();
    assertThat(departuresAfter(new DesiredChange(List.of(), Set.of(), Map.of(), Set.of(node))))
        .isTrue();
  }
}
