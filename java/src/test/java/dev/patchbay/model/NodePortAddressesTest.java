// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The meaning of the keywords and of a silent family is that of kube-proxy 1.37. */
class NodePortAddressesTest {
  private static final List<IpAddress> DUAL = addresses("192.0.2.1", "2001:db8::1");
  private static final List<IpAddress> IPV4_ONLY = addresses("192.0.2.1");

  private static List<IpAddress> addresses(String... texts) {
    return Arrays.stream(texts).map(IpAddress::of).toList();
  }

  private static NodePortAddresses read(String list) {
    List<String> elements = list.isEmpty() ? List.of() : Arrays.asList(list.split(" ", -1));
    assertThat(NodePortAddresses.parse(elements)).isInstanceOf(NodePortAddresses.Parsed.Good.class);
    return ((NodePortAddresses.Parsed.Good) NodePortAddresses.parse(elements)).addresses();
  }

  @ParameterizedTest(name = "\"{0}\": {1} {2}")
  @CsvSource({
    // nothing said
    "'', 192.0.2.1, true",
    "'', 198.51.100.9, true",
    "'', 127.0.0.1, true",
    "'', ::1, true",
    // keywords
    "all, 10.0.0.1, true",
    "all, ::1, true",
    "primary, 192.0.2.1, true",
    "primary, 192.0.2.2, false",
    "primary, 127.0.0.1, false",
    "primary, 2001:db8::1, true",
    "primary, 2001:db8::2, false",
    "localhost, 127.0.0.1, true",
    "localhost, 127.1.2.3, true",
    "localhost, ::1, true",
    "localhost, 192.0.2.1, false",
    "localhost, 2001:db8::1, false",
    "primary localhost, 127.0.0.1, true",
    "primary localhost, 192.0.2.1, true",
    "primary localhost, 192.0.2.2, false",
    "primary all, 198.51.100.9, true",
    // ranges
    "10.0.0.0/8, 10.1.2.3, true",
    "10.0.0.0/8, 192.0.2.1, false",
    "10.0.0.5/8, 10.1.2.3, true",
    "127.0.0.0/8, 127.0.0.1, true",
    "0.0.0.0/0, 127.0.0.1, true",
    "10.0.0.0/8 primary, 192.0.2.1, true",
    // a family that nothing is said about, as in kube-proxy: all but loopback
    "10.0.0.0/8, 2001:db8::2, true",
    "10.0.0.0/8, ::1, false",
    "fd00::/8, 192.0.2.2, true",
    "fd00::/8, 127.0.0.1, false",
  })
  void theListDecides(String list, String address, boolean served) {
    assertThat(read(list).matches(IpAddress.of(address), DUAL)).isEqualTo(served);
  }

  @Test
  void primaryOfANodeWithoutAnAddressOfTheFamilySaysNothingAboutTheFamily() {
    assertThat(read("primary").matches(IpAddress.of("2001:db8::2"), IPV4_ONLY)).isTrue();
    assertThat(read("primary").matches(IpAddress.of("::1"), IPV4_ONLY)).isFalse();
    assertThat(read("primary").matches(IpAddress.of("192.0.2.2"), IPV4_ONLY)).isFalse();
  }

  @Test
  void aNodeWhosePrimaryAddressIsLoopbackHasNone() {
    List<IpAddress> loopback = addresses("127.0.0.1");
    assertThat(read("primary").matches(IpAddress.of("127.0.0.1"), loopback)).isFalse();
    assertThat(read("primary").matches(IpAddress.of("192.0.2.1"), loopback)).isTrue();
  }

  @Test
  void loopbackCanBeExcludedFromEverything() {
    for (String list : List.of("", "all", "localhost", "127.0.0.0/8")) {
      assertThat(read(list).withoutLoopback().matches(IpAddress.of("127.0.0.1"), DUAL)).isFalse();
    }
    assertThat(read("").withoutLoopback().matches(IpAddress.of("::1"), DUAL)).isFalse();
    assertThat(read("all").withoutLoopback().matches(IpAddress.of("192.0.2.1"), DUAL)).isTrue();
  }

  @ParameterizedTest
  @CsvSource({
    "primary primary, 1, is there twice",
    "10.0.0.0/8 all localhost all, 3, is there twice",
    "10.0.0.1, 0, must be a range",
    "10.0.0.0/33, 0, must be a range",
    "primary Primary, 1, 'keywords primary, localhost, all'",
    "'10.0.0.0/8  ', 1, must be a range",
  })
  void whatMakesNoSenseIsNamedWithItsPlace(String list, int index, String reason) {
    assertThat(NodePortAddresses.parse(Arrays.asList(list.split(" ", -1))))
        .isInstanceOfSatisfying(
            NodePortAddresses.Parsed.Bad.class,
            bad -> {
              assertThat(bad.index()).isEqualTo(index);
              assertThat(bad.reason()).contains(reason);
            });
  }

  @Test
  void aRangeMayBeThereTwice() {
    assertThat(read("10.0.0.0/8 10.0.0.0/8").ranges()).hasSize(2);
  }

  @Test
  void textIsTheListAgain() {
    assertThat(read("10.0.0.5/8 localhost primary")).hasToString("primary,localhost,10.0.0.0/8");
    assertThat(read("")).hasToString("all");
  }
}
