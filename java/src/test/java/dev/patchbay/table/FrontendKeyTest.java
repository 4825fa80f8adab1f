// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.table;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.patchbay.model.IpAddress;
import dev.patchbay.model.Protocol;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class FrontendKeyTest {
  private static final IpAddress V4 = IpAddress.of("10.96.0.1");
  private static final IpAddress V6 = IpAddress.of("fd00::1");

  @Test
  void text() {
    assertThat(new FrontendKey(V4, 80, Protocol.TCP, Scope.INTERNAL))
        .hasToString("10.96.0.1:80/tcp");
    assertThat(new FrontendKey(V6, 53, Protocol.UDP, Scope.EXTERNAL))
        .hasToString("[fd00::1]:53/udp@external");
    assertThat(FrontendKey.wildcard(V4)).hasToString("10.96.0.1:*");
    assertThat(FrontendKey.wildcard(V6)).hasToString("[fd00::1]:*");
  }

  @Test
  void orderIsAddressPortProtocolScopeAllUnsigned() {
    List<FrontendKey> sorted =
        List.of(
            FrontendKey.wildcard(V4),
            new FrontendKey(V4, 80, Protocol.TCP, Scope.INTERNAL),
            new FrontendKey(V4, 80, Protocol.TCP, Scope.EXTERNAL),
            new FrontendKey(V4, 80, Protocol.UDP, Scope.INTERNAL),
            new FrontendKey(V4, 443, Protocol.TCP, Scope.INTERNAL),
            new FrontendKey(V4, 40000, Protocol.TCP, Scope.INTERNAL),
            new FrontendKey(IpAddress.of("200.0.0.1"), 1, Protocol.TCP, Scope.INTERNAL),
            FrontendKey.wildcard(V6));
    List<FrontendKey> shuffled = new ArrayList<>(sorted);
    Collections.shuffle(shuffled, new Random(1));
    assertThat(shuffled.stream().sorted().toList()).isEqualTo(sorted);
  }

  @Test
  void onlyAWildcardHasNoPortAndNoProtocol() {
    assertThat(FrontendKey.wildcard(V4).isWildcard()).isTrue();
    assertThat(FrontendKey.wildcard(V4).protocolNumber()).isZero();
    assertThat(new FrontendKey(V4, 80, Protocol.UDP, Scope.INTERNAL).protocolNumber())
        .isEqualTo(17);
    assertThatThrownBy(() -> new FrontendKey(V4, 0, Protocol.TCP, Scope.INTERNAL))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new FrontendKey(V4, 80, null, Scope.INTERNAL))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new FrontendKey(V4, 65536, Protocol.TCP, Scope.INTERNAL))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new FrontendKey(V4, -1, Protocol.TCP, Scope.INTERNAL))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
