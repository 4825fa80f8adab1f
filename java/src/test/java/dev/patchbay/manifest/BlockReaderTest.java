// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.statistics.Statistics;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The reader of the plain subset never differs from the YAML parser; at most it declines. */
class BlockReaderTest {
  /** Pieces of which lines are made, so that most of them mean something. */
  private static final List<String> PIECES =
      List.of(
          "a",
          "b",
          "name",
          "a: ",
          "b: ",
          "name: ",
          "key:",
          "- ",
          "-",
          "- a: ",
          "- - ",
          "1",
          "-1",
          "0x1",
          "1.5",
          "true",
          "null",
          "~",
          "10.0.0.1",
          "fd00::1",
          "fd00::",
          "http://x/y",
          " #c",
          "# c",
          "#",
          "\"q\"",
          "'q'",
          "\"q",
          "'it''s'",
          "\"a\\n\"",
          "{}",
          "[]",
          "[a]",
          "{a: b}",
          "|",
          ">",
          "&x ",
          "*x",
          "!t ",
          "<<: ",
          "? ",
          ": ",
          ":",
          "...",
          "---",
          "--- ",
          "%",
          "@",
          "`",
          ",",
          "é",
          "\t",
          "x y",
          "a:b",
          "a,b",
          "a]",
          "*",
          "=",
          "\r",
          "\u0007",
          "_",
          ".",
          "/",
          "...a");

  @Provide
  Arbitrary<String> documents() {
    Arbitrary<String> indent = Arbitraries.of("", "", "", "  ", "  ", "    ", " ", "\t");
    Arbitrary<String> content =
        Arbitraries.of(PIECES).list().ofMinSize(0).ofMaxSize(3).map(l -> String.join("", l));
    Arbitrary<String> line = indent.flatMap(i -> content.map(c -> i + c));
    return line.list()
        .ofMinSize(0)
        .ofMaxSize(7)
        .flatMap(
            lines ->
                Arbitraries.of("", "\n", "---\n", "--- # c\n")
                    .map(start -> start.isBlank() ? "" : start)
                    .flatMap(
                        start ->
                            Arbitraries.of("", "\n")
                                .map(end -> start + String.join("\n", lines) + end)));
  }

  @Provide
  Arbitrary<String> tidyDocuments() {
    Arbitrary<String> line =
        Arbitraries.of(
            "a: 1",
            "b: x",
            "c:",
            "d:",
            "- a: 1",
            "- b:",
            "- x",
            "-",
            "  a: 1",
            "  b:",
            "  c: {}",
            "  - a: 1",
            "  - x",
            "    a: 1",
            "    b:",
            "    - x",
            "      c: 'q' # d",
            "# c",
            "",
            "    # c",
            "  d: \"\"",
            "e: a b c  # d",
            "f: -",
            "-  a: 1",
            "   b: 2",
            "g: []");
    return line.list().ofMinSize(1).ofMaxSize(9).map(l -> String.join("\n", l) + "\n");
  }

  @Property(tries = 20_000)
  void agreesOnAnything(@ForAll("documents") String document) {
    compare(document);
  }

  @Property(tries = 20_000)
  void agreesOnWhatLooksLikeManifests(@ForAll("tidyDocuments") String document) {
    compare(document);
  }

  private static void compare(String document) {
    // Where one document is several, the reader never sees it whole.
    for (Documents.Part part : Documents.split(document)) {
      BlockReader.Result result = BlockReader.read(document, part.from(), part.to());
      Statistics.collect(result.declined() ? "declined" : "read");
      if (!result.declined()) {
        assertThat(text(result.root())).isEqualTo(parsed(document, part));
      }
    }
  }

  private static String parsed(String document, Documents.Part part) {
    try {
      return text(YamlReader.read(document.substring(part.from(), part.to())));
    } catch (SyntaxException e) {
      return String.valueOf(e.getMessage());
    }
  }

  /** A text that tells different trees apart. */
  private static String text(@Nullable Node node) {
    return switch (node) {
      case null -> "nothing";
      case Scalar scalar -> (scalar.plain() ? "plain<" : "quoted<") + scalar.text() + ">";
      case Sequence list -> list.items().stream().map(BlockReaderTest::text).toList().toString();
      case Mapping mapping -> {
        StringBuilder text = new StringBuilder("{");
        for (int i = 0; i < mapping.size(); i++) {
          text.append(mapping.key(i)).append('=').append(text(mapping.value(i))).append(';');
        }
        yield text.append('}').toString();
      }
    };
  }

  @Test
  void readsWhatManifestsConsistOf() {
    String manifest =
        Manifests.KUBIA
            + """
            # a comment
            status:
              loadBalancer: {}
              conditions: []   # none yet
            quoted: "a: b # c"
            single: 'x'
            address: fd00::1
            empty:
            list:
            - name: a
              values:
              - 1
              - two words

            -
              name: b
            """;
    BlockReader.Result result = BlockReader.read(manifest, 0, manifest.length());
    assertThat(result.declined()).isFalse();
    assertThat(text(result.root()))
        .isEqualTo(
            "{apiVersion=plain<v1>;kind=plain<Service>;metadata={name=plain<kubia>;};spec={ports="
                + "[{port=plain<80>;targetPort=plain<8080>;}];selector={app=plain<kubia>;};};"
                + "status={loadBalancer={};conditions=[];};quoted=quoted<a: b # c>;"
                + "single=quoted<x>;address=plain<fd00::1>;empty=plain<>;list=[{name=plain<a>;"
                + "values=[plain<1>, plain<two words>];}, {name=plain<b>;}];}");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a: |\n  text\n",
        "a: &x 1\nb: *x\n",
        "a: {b: c}\n",
        "a: b\n  c\n",
        "a: b: c\n",
        "a: 1\na: 2\n",
        "a:\n  b: 1\n c: 2\n",
        "a: \"\\n\"\n",
        "a: 'it''s'\n",
        "a: ä\n",
        "a:\tb\n",
        "- - a\n",
        "plain\n",
        "<<: {}\n",
        "? a\n: b\n",
        "a: 1\r\n"
      })
  void declinesWhatItDoesNotKnow(String document) {
    assertThat(BlockReader.read(document, 0, document.length()).declined()).isTrue();
  }
}
