// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.model.IpAddress;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.NodeInfo;
import dev.patchbay.model.NodePortAddresses;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class NodeViewTest {
  private static NodeInfo node(String name, String zone, String... addresses) {
    return new NodeInfo(name, zone, addresses(addresses), true);
  }

  private static List<IpAddress> addresses(String... texts) {
    return Arrays.stream(texts).map(IpAddress::of).toList();
  }

  private static NodePortAddresses served(String... list) {
    return ((NodePortAddresses.Parsed.Good) NodePortAddresses.parse(List.of(list))).addresses();
  }

  @Test
  void everyAddressOfEveryNodeAndThoseOfTheInterfaces() {
    NodeView view = new NodeView("a", NodePortAddresses.ALL, NodeFacts.ANYWHERE);
    assertThat(view.local(addresses("192.0.2.1", "10.88.0.1"))).isTrue();
    assertThat(view.nodes(List.of(node("a", "x", "192.0.2.1"), node("b", "y", "192.0.2.2"))))
        .isTrue();
    assertThat(view.facts())
        .isEqualTo(
            new NodeFacts(
                "a", "x", addresses("127.0.0.1", "::1", "192.0.2.1", "192.0.2.2", "10.88.0.1")));
  }

  @Test
  void primaryMeansTheAddressesOfTheNodeObjects() {
    NodeView view = new NodeView("a", served("primary"), NodeFacts.ANYWHERE);
    view.local(addresses("192.0.2.1", "10.88.0.1"));
    view.nodes(List.of(node("a", "", "192.0.2.1"), node("b", "", "192.0.2.2", "203.0.113.2")));
    assertThat(view.facts().addresses()).isEqualTo(addresses("192.0.2.1", "192.0.2.2"));
  }

  @Test
  void withoutANodeObjectTheInterfacesCount() {
    NodeView view = new NodeView("a", NodePortAddresses.ALL, NodeFacts.ANYWHERE);
    view.local(addresses("192.0.2.1"));
    assertThat(view.facts().zone()).isEmpty();
    assertThat(view.facts().addresses()).contains(IpAddress.of("192.0.2.1"));
    assertThat(view.eligible()).isTrue();
  }

  @Test
  void whatChangesNothingIsNoChange() {
    NodeView view = new NodeView("a", NodePortAddresses.ALL, NodeFacts.ANYWHERE);
    List<NodeInfo> nodes = List.of(node("a", "", "192.0.2.1"));
    assertThat(view.nodes(nodes)).isTrue();
    assertThat(view.nodes(List.copyOf(nodes))).isFalse();
    assertThat(view.local(addresses("192.0.2.1"))).isFalse();
    assertThat(view.nodes(List.of(node("a", "zone", "192.0.2.1")))).isTrue();
    assertThat(view.nodes(List.of())).isTrue();
  }

  @Test
  void aNodeThatIsTakenAwayIsNotEligible() {
    NodeView view = new NodeView("a", NodePortAddresses.ALL, NodeFacts.ANYWHERE);
    view.nodes(
        List.of(new NodeInfo("a", "", List.of(), false), new NodeInfo("b", "", List.of(), true)));
    assertThat(view.eligible()).isFalse();
  }
}
