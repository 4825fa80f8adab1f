// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.model.ObjectKey;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import org.junit.jupiter.api.Test;

/** What an Event says; that it is written: {@link ClusterSourceTest}. */
class EventWriterTest {
  private static final ObjectKey WEB = new ObjectKey("shop", "web");

  private static KubernetesEvent event(String note, boolean ofNode) {
    return new KubernetesEvent(WEB, true, "InvalidObject", note, ofNode);
  }

  @Test
  void allNodesGiveTheSameNameUnlessItConcernsOne() {
    assertThat(EventWriter.name(event("a", false), "u", "node1"))
        .startsWith("web.")
        .isEqualTo(EventWriter.name(event("a", false), "u", "node2"))
        .isNotEqualTo(EventWriter.name(event("b", false), "u", "node1"))
        .isNotEqualTo(EventWriter.name(event("a", false), "v", "node1"));
    assertThat(EventWriter.name(event("a", true), "u", "node1"))
        .isNotEqualTo(EventWriter.name(event("a", true), "u", "node2"));
  }

  @Test
  void noteIsCutBetweenCharacters() {
    assertThat(EventWriter.cut("abc", 3)).isEqualTo("abc");
    assertThat(EventWriter.cut("abé", 3)).isEqualTo("ab");
    assertThat(EventWriter.cut("aé😀x", 7)).isEqualTo("aé😀");
    assertThat(EventWriter.cut("aé😀x", 6)).isEqualTo("aé");
    String json = EventWriter.json(event("ü".repeat(2000), false), "u", "node1", Instant.EPOCH);
    assertThat(json.getBytes(StandardCharsets.UTF_8).length).isLessThan(1700);
  }

  @Test
  void whatIsSent() {
    assertThat(
            EventWriter.json(
                event("say \"no\"", false), "u-1", "node1", Instant.ofEpochSecond(1, 2_000)))
        .contains(
            "\"apiVersion\":\"events.k8s.io/v1\"",
            "\"eventTime\":\"1970-01-01T00:00:01.000002Z\"",
            "\"action\":\"Sync\"",
            "\"note\":\"say \\\"no\\\"\"",
            "\"uid\":\"u-1\"");
    assertThat(EventWriter.json(event("a", false), "", "node1", Instant.EPOCH))
        .doesNotContain("uid");
  }
}
