// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class DocumentsTest {
  private static List<String> split(String text) {
    return Documents.split(text).stream()
        .map(
            p ->
                p.number()
                    + "@"
                    + Documents.firstLine(text, p)
                    + " "
                    + text.substring(p.from(), p.to()))
        .toList();
  }

  @Test
  void aFileWithoutMarkersIsOneDocument() {
    assertThat(split("a: 1\n")).containsExactly("1@1 a: 1\n");
  }

  @Test
  void nothingAndCommentsAreNoDocument() {
    assertThat(split("")).isEmpty();
    assertThat(split("# nothing\n\n  # here\n")).isEmpty();
  }

  @Test
  void markersSeparate() {
    assertThat(split("---\na: 1\n---\nb: 2\n"))
        .containsExactly("1@1 ---\na: 1\n", "2@3 ---\nb: 2\n");
  }

  @Test
  void aCommentBeforeTheFirstMarkerIsNoDocument() {
    assertThat(split("# licence\n---\na: 1\n")).containsExactly("1@2 ---\na: 1\n");
  }

  @Test
  void anEmptyDocumentCounts() {
    assertThat(split("---\n---\na: 1\n")).containsExactly("1@1 ---\n", "2@2 ---\na: 1\n");
  }

  @Test
  void directivesBelongToTheDocumentBehindThem() {
    assertThat(split("%YAML 1.2\n---\na: 1\n...\n%YAML 1.2\n---\nb: 2\n"))
        .containsExactly("1@1 %YAML 1.2\n---\na: 1\n", "2@5 %YAML 1.2\n---\nb: 2\n");
  }

  @Test
  void dotsEndADocument() {
    assertThat(split("a: 1\n...\n# c\n...\nb: 2\n...\n"))
        .containsExactly("1@1 a: 1\n", "2@5 b: 2\n");
  }

  @Test
  void onlyWholeMarkersAtTheBeginningOfALineCount() {
    assertThat(split("a: ---\n ---\n----\n---x\n-----BEGIN\n")).hasSize(1);
  }

  @Test
  void contentMayFollowAMarker() {
    assertThat(split("--- {a: 1}\n--- # c\nb: 2\n"))
        .containsExactly("1@1 --- {a: 1}\n", "2@2 --- # c\nb: 2\n");
  }
}
