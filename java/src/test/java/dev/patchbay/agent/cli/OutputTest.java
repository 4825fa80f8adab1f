// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.patchbay.agent.UserError;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class OutputTest {
  @Test
  void tablesAlignAndHaveNoTrailingBlanks() {
    TextTable table = new TextTable("NAME", "VALUE", "NOTE");
    table.row("a", "1", "");
    table.row("longer", "22", "x");

    assertThat(table.render("  "))
        .isEqualTo("  NAME    VALUE  NOTE\n  a       1\n  longer  22     x\n");
  }

  @Test
  void treesKeepTheirOrder() {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("z", List.of(1, "two", true));
    tree.put("a", Map.of("k", 5L));

    assertThat(Tree.json(tree).replaceAll("\\s", ""))
        .isEqualTo("{\"z\":[1,\"two\",true],\"a\":{\"k\":5}}");
    assertThat(Tree.yaml(tree)).startsWith("z:").contains("- two", "a:");
  }

  @ParameterizedTest
  @CsvSource({
    "10.96.0.1:80, 10.96.0.1:80/tcp",
    "10.96.0.1:80/tcp, 10.96.0.1:80/tcp",
    "10.96.0.1:53/udp, 10.96.0.1:53/udp",
    "'[fd00:10:96::a]:53/udp', '[fd00:10:96::a]:53/udp'"
  })
  void readsDestinations(String text, String printed) throws UserError {
    assertThat(Destination.parse(text)).hasToString(printed);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "10.96.0.1", "10.96.0.1:0", "10.96.0.1:65536", "fd00::1:80", "x:80", ":80"})
  void refusesWhatIsNoDestination(String text) {
    assertThatThrownBy(() -> Destination.parse(text))
        .isInstanceOf(UserError.class)
        .hasMessageContaining("write it like");
  }
}
