// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class ServicePortKeyTest {
  private static ServicePortKey key(String namespace, String name, String port) {
    return new ServicePortKey(
        new ObjectKey(namespace, name), port, Protocol.TCP, IpFamily.IPV4, TrafficPolicy.CLUSTER);
  }

  @Test
  void statsIdsNeverChange() {
    assertThat(key("default", "kubia", "").statsId()).isEqualTo(0x4b5973f60d96516fL);
  }

  @Test
  void everyPartOfTheKeyCounts() {
    Set<Long> ids = new HashSet<>();
    int keys = 0;
    for (String namespace : new String[] {"a", "ab"}) {
      for (String name : new String[] {"c", "bc"}) {
        for (String port : new String[] {"", "http", "c"}) {
          for (Protocol protocol : Protocol.values()) {
            for (IpFamily family : IpFamily.values()) {
              for (TrafficPolicy policy : TrafficPolicy.values()) {
                ObjectKey service = new ObjectKey(namespace, name);
                ids.add(new ServicePortKey(service, port, protocol, family, policy).statsId());
                keys++;
              }
            }
          }
        }
      }
    }
    assertThat(ids).hasSize(keys).doesNotContain(0L);
  }

  @Test
  void thereAreNoCollisionsAmongManyServices() {
    Set<Long> ids = new HashSet<>();
    for (int i = 0; i < 100_000; i++) {
      ids.add(key("namespace-" + i % 100, "service-" + i, "http").statsId());
    }
    assertThat(ids).hasSize(100_000);
  }
}
