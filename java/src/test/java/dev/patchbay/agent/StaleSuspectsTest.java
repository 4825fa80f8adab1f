// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.model.IpAddress;
import dev.patchbay.model.Protocol;
import dev.patchbay.observe.StaleSocket;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class StaleSuspectsTest {
  private static StaleSocket socket(long cookie) {
    IpAddress address = IpAddress.of("10.1.0.1");
    return new StaleSocket(
        cookie, 1, 1, 0, address, 1000, address, 53, address, 53, Protocol.UDP, false);
  }

  @Test
  void nobodyIsDueAtFirstSight() {
    StaleSuspects suspects = new StaleSuspects();
    assertThat(suspects.due(List.of(socket(7), socket(3)))).isEmpty();
    assertThat(suspects.due(List.of(socket(5)))).isEmpty();
    assertThat(suspects.endScan()).isTrue();
    assertThat(suspects.due(List.of(socket(3), socket(4), socket(5), socket(7))))
        .extracting(StaleSocket::cookie)
        .containsExactly(3L, 5L, 7L);
  }

  @Test
  void whoWasFoundOnceStaysDueAndTheOthersFollow() {
    StaleSuspects suspects = new StaleSuspects();
    suspects.due(List.of(socket(1)));
    suspects.endScan();
    suspects.due(List.of(socket(1), socket(2)));
    assertThat(suspects.endScan()).isTrue();
    assertThat(suspects.due(List.of(socket(1), socket(2)))).hasSize(2);
    assertThat(suspects.endScan()).as("nobody is new").isFalse();
  }

  @Test
  void thereMayBeMany() {
    List<StaleSocket> all = new ArrayList<>();
    for (long cookie = 100_000; cookie > 0; cookie--) {
      all.add(socket(cookie));
    }
    StaleSuspects suspects = new StaleSuspects();
    suspects.due(all);
    suspects.endScan();
    assertThat(suspects.due(all)).hasSize(all.size());
  }
}
