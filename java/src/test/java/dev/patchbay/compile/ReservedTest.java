// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.compile;

import static dev.patchbay.testkit.ServiceBuilder.ready;
import static dev.patchbay.testkit.ServiceBuilder.service;
import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Protocol;
import dev.patchbay.table.Backend;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.ServiceRow;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReservedTest {
  private static final NodeFacts NODE = new NodeFacts("n", "", List.of());

  private static CompiledService compile(String... clusterIps) {
    return ServiceCompiler.compile(
        service("default/thief")
            .clusterIps(clusterIps)
            .port(7)
            .slice(8080, ready("10.1.0.1"))
            .build(),
        NODE);
  }

  @Test
  void noServiceGetsAReservedClusterIp() {
    for (String address : List.of("192.0.0.8", "100::8")) {
      CompiledService compiled = compile(address);
      assertThat(compiled.rows()).isEmpty();
      assertThat(compiled.refused()).isEmpty();
      assertThat(compiled.rejections())
          .singleElement()
          .asString()
          .contains(address, "AddressReserved");
      assertThat(compiled.rejections().getFirst().sentence())
          .isEqualTo(
              "address " + address + " is not served: Patchbay checks its own health with it");
    }
  }

  @Test
  void theOtherAddressesAreServed() {
    CompiledService compiled = compile("192.0.0.8", "192.0.0.9");
    assertThat(compiled.rows())
        .flatExtracting(ServiceRow::frontends)
        .extracting(FrontendKey::toString)
        .containsExactly("192.0.0.9:7/tcp");
  }

  @Test
  void noServiceGetsAReservedExternalAddress() {
    CompiledService compiled =
        ServiceCompiler.compile(
            service("default/thief")
                .clusterIps("10.96.0.1")
                .externalIps("192.0.0.8")
                .loadBalancerIps("192.0.0.8")
                .port(7)
                .slice(8080, ready("10.1.0.1"))
                .build(),
            NODE);
    assertThat(compiled.rows())
        .flatExtracting(ServiceRow::frontends)
        .extracting(FrontendKey::toString)
        .containsExactly("10.96.0.1:7/tcp");
    assertThat(compiled.rejections()).hasSize(1);
  }

  @Test
  void theCanarySortsBehindEveryService() {
    ServiceRow row =
        Reserved.canary(IpFamily.IPV6, Protocol.UDP, new Backend(IpAddress.of("::1"), 1234));
    assertThat(Reserved.is(row.key())).isTrue();
    assertThat(row.frontends()).extracting(FrontendKey::toString).containsExactly("[100::8]:7/udp");
    assertThat(row.key().service()).isGreaterThan(new ObjectKey("zzz", "zzz"));
  }
}
