// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.compile;

import static dev.patchbay.testkit.ServiceBuilder.service;
import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import org.junit.jupiter.api.Test;

class SourceRangesTest {
  private static SourceRanges ranges(IpFamily family, String... ranges) {
    return SourceRanges.of(service("s").sourceRanges(ranges).build().service(), family);
  }

  private static boolean allowed(SourceRanges ranges, String client) {
    return ranges.allowed(IpAddress.of(client));
  }

  @Test
  void onlyClientsInARangeAreAllowed() {
    SourceRanges ranges = ranges(IpFamily.IPV4, "192.0.2.0/25", "203.0.113.7/32");
    assertThat(ranges.isOpen()).isFalse();
    assertThat(allowed(ranges, "192.0.2.127")).isTrue();
    assertThat(allowed(ranges, "192.0.2.128")).isFalse();
    assertThat(allowed(ranges, "203.0.113.7")).isTrue();
    assertThat(allowed(ranges, "203.0.113.8")).isFalse();
  }

  @Test
  void withoutRangesEverybodyIsAllowed() {
    SourceRanges ranges = ranges(IpFamily.IPV4);
    assertThat(ranges.isOpen()).isTrue();
    assertThat(allowed(ranges, "192.0.2.1")).isTrue();
  }

  @Test
  void aRangeThatHoldsAllAddressesAllowsEverybody() {
    SourceRanges ranges = ranges(IpFamily.IPV4, "192.0.2.0/25", "0.0.0.0/0");
    assertThat(ranges.isOpen()).isTrue();
    assertThat(allowed(ranges, "203.0.113.8")).isTrue();
  }

  @Test
  void eachFamilyIsJudgedByItself() {
    String[] both = {"192.0.2.0/25", "::/0"};
    assertThat(ranges(IpFamily.IPV6, both).isOpen()).isTrue();
    assertThat(allowed(ranges(IpFamily.IPV4, both), "203.0.113.8")).isFalse();
    assertThat(ranges(IpFamily.IPV6, "192.0.2.0/25").isOpen()).isTrue();
    assertThat(allowed(ranges(IpFamily.IPV6, "2001:db8::/32"), "2001:db8::1")).isTrue();
    assertThat(allowed(ranges(IpFamily.IPV6, "2001:db8::/32"), "2001:db9::1")).isFalse();
  }
}
