// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Objects;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class YamlReaderTest {
  private static Mapping mapping(String document) throws SyntaxException {
    return mapping(document, 1);
  }

  private static Mapping mapping(String document, int firstLine) throws SyntaxException {
    return (Mapping) Objects.requireNonNull(YamlReader.readWithLines(document, firstLine));
  }

  private static String text(Mapping mapping, String key) {
    return mapping.get(key) instanceof Scalar scalar ? scalar.text() : "?";
  }

  @Test
  void nodesKnowTheirLines() throws SyntaxException {
    Mapping root = mapping("a: 1\n\nb:\n- x\n- y\n", 10);
    assertThat(root.line()).isEqualTo(10);
    assertThat(root.value(0).line()).isEqualTo(10);
    assertThat(((Sequence) root.value(1)).items().get(1).line()).isEqualTo(14);
  }

  @Test
  void anAliasIsWhatItsAnchorNames() throws SyntaxException {
    Mapping root = mapping("a: &x {b: 1}\nc: *x\n");
    assertThat(root.get("c")).isSameAs(root.get("a"));
  }

  @Test
  void mergedKeysGiveWayToOwnKeys() throws SyntaxException {
    Mapping root = mapping("base: &b {x: 1, y: 1}\nown:\n  y: 2\n  <<: *b\n");
    Mapping own = (Mapping) root.value(1);
    assertThat(text(own, "x")).isEqualTo("1");
    assertThat(text(own, "y")).isEqualTo("2");
  }

  @Test
  void severalMappingsCanBeMergedTheFirstWins() throws SyntaxException {
    Mapping root = mapping("a: &a {x: 1}\nb: &b {x: 2, y: 2}\nc:\n  <<: [*a, *b]\n");
    Mapping merged = (Mapping) root.value(2);
    assertThat(text(merged, "x")).isEqualTo("1");
    assertThat(text(merged, "y")).isEqualTo("2");
  }

  @Test
  void tagsDecideAboutTypes() throws SyntaxException {
    Mapping root = mapping("a: !!str 80\nb: !!int \"80\"\n");
    assertThat(((Scalar) root.value(0)).type()).isEqualTo(Scalar.Type.STRING);
    assertThat(((Scalar) root.value(1)).type()).isEqualTo(Scalar.Type.INTEGER);
  }

  @Test
  void anAnchorInsideItself() {
    assertThatThrownBy(() -> YamlReader.readWithLines("a: &a\n- *a\n", 1))
        .isInstanceOf(SyntaxException.class)
        .hasMessage("uses the alias *a before its anchor is complete (line 2)");
  }

  @Test
  void mergingWhatIsNoMapping() {
    assertThatThrownBy(() -> YamlReader.readWithLines("a:\n  <<: [x]\n", 1))
        .isInstanceOf(SyntaxException.class)
        .hasMessage("merges a string into a mapping with \"<<\" (line 2)");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "# c\n", "---\n", "--- # c\n", "~", "null\n"})
  void nothing(String document) throws SyntaxException {
    assertThat(YamlReader.read(document)).isNull();
  }

  @Property(tries = 5000)
  void noTextMakesItFailOtherwiseThanPromised(@ForAll String text) {
    try {
      YamlReader.read(text);
    } catch (SyntaxException e) {
      assertThat(e.getMessage()).isNotBlank().doesNotContain("\n");
    }
  }
}
