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

    assertThat(table.render("  ", Terminal.NONE))
        .isEqualTo("  NAME    VALUE  NOTE\n  a       1\n  longer  22     x\n");
  }

  private static Terminal narrow(int columns) {
    return new Terminal(columns, false);
  }

  @Test
  void theLastColumnIsBrokenBetweenAddressesWhereATableIsTooWide() {
    TextTable table = new TextTable("NAME", "BACKENDS");
    table.row("kubia", "10.1.0.11:8080,10.1.0.12:8080,10.1.0.13:8080");
    table.row("other", "<none>");

    assertThat(table.render("", narrow(40)))
        .isEqualTo(
            """
            NAME   BACKENDS
            kubia  10.1.0.11:8080,10.1.0.12:8080,
                   10.1.0.13:8080
            other  <none>
            """);
    assertThat(table.render("", narrow(51))).contains("kubia  10.1.0.11:8080,10.1.0.12:8080,10");
  }

  @Test
  void rowsBecomeParagraphsWhereATableIsMuchTooWide() {
    TextTable table = new TextTable("NAMESPACE", "NAME", "FRONTEND", "PORT", "BACKENDS");
    table.row("default", "kubia", "[fd00:10:96::a]:80/tcp", "http", "[fd00:10:1::1]:8080,<none>");
    table.row("kube-system", "kube-dns", "10.96.0.10:53/udp", "-", "10.1.0.2:53");

    assertThat(table.render("", narrow(48)))
        .isEqualTo(
            """
            default  NAME kubia
                FRONTEND [fd00:10:96::a]:80/tcp  PORT http
                BACKENDS [fd00:10:1::1]:8080,<none>
            kube-system  NAME kube-dns
                FRONTEND 10.96.0.10:53/udp  PORT -
                BACKENDS 10.1.0.2:53
            """);
  }

  @ParameterizedTest
  @ValueSource(ints = {20, 33, 40, 60, 80, 100, 120, 200})
  void noLineIsLongerThanTheTerminalAndNothingIsLost(int columns) {
    TextTable table = new TextTable("ENDPOINT", "POD", "NODE", "CHOSEN", "WHY");
    table.row("10.1.0.1:8080", "kubia-1", "node1", "yes", "ready");
    table.row(
        "10.1.0.2:8080",
        "kubia-2",
        "node2",
        "no",
        "hinted for zone a, b, and this node is in zone c, which is another one altogether");

    String text = table.render("  ", narrow(columns));

    assertThat(text.lines())
        .allSatisfy(line -> assertThat(line.length()).isLessThanOrEqualTo(columns));
    assertThat(text).contains("10.1.0.1:8080", "10.1.0.2:8080", "kubia-2", "altogether");
    assertThat(text.replaceAll("\\s+", " "))
        .contains("this node is in zone c, which is another one altogether");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "a bb ccc | 4 | a bb/ccc",
        "a bb ccc | 3 | a/bb/ccc",
        "a,b,c | 4 | a,b,/c",
        "a, b, c | 5 | a, b,/c",
        "10.96.0.1:80 | 3 | 10.96.0.1:80",
        "to 10.96.0.1:80 | 3 | to/10.96.0.1:80",
        "'' | 3 | ''",
        "a | 1 | a",
      })
  void textIsBrokenBetweenWords(String text, int columns, String lines) {
    assertThat(String.join("/", Terminal.broken(text, columns))).isEqualTo(lines);
  }

  @Test
  void paragraphsHang() {
    assertThat(narrow(20).paragraph("  - ", "    ", "the address serves 80/tcp"))
        .isEqualTo("  - the address\n    serves 80/tcp\n");
  }

  @Test
  void colourIsForTerminalsOnly() {
    Map<String, String> xterm = Map.of("TERM", "xterm", "COLUMNS", "100");
    assertThat(Terminal.of(xterm, true)).isEqualTo(new Terminal(100, true));
    assertThat(Terminal.of(xterm, false)).isEqualTo(Terminal.NONE);
    assertThat(Terminal.of(Map.of("COLUMNS", "100", "NO_COLOR", "1"), true).colour()).isFalse();
    assertThat(Terminal.of(Map.of("COLUMNS", "100", "NO_COLOR", ""), true).colour()).isTrue();
    assertThat(Terminal.of(Map.of("COLUMNS", "100", "TERM", "dumb"), true).colour()).isFalse();
    assertThat(Terminal.of(Map.of("COLUMNS", "3"), true).width()).isEqualTo(20);
  }

  @Test
  void coloursDoNotMoveColumns() {
    TextTable table = new TextTable("RESULT", "FOUND");
    table.row(
        new TextTable.Cell("ok", Terminal.Style.GOOD),
        new TextTable.Cell("all of it is there", Terminal.Style.PLAIN));

    String coloured = table.render("", new Terminal(40, true));

    assertThat(coloured).contains("\u001b[32mok\u001b[0m", "\u001b[1mRESULT\u001b[0m");
    assertThat(coloured.replaceAll("\u001b\\[[0-9]*m", "")).isEqualTo(table.render("", narrow(40)));
    assertThat(table.render("", narrow(40))).doesNotContain("\u001b");
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
