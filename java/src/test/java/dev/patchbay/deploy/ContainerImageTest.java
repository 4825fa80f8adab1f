// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.lab.Patchbay;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What can be known about the container recipe without an engine to build it. */
class ContainerImageTest {
  private final List<List<String>> instructions = Dockerfile.instructions();

  private List<List<String>> all(String keyword) {
    return instructions.stream().filter(words -> words.getFirst().equals(keyword)).toList();
  }

  private static List<String> operands(List<String> words) {
    return words.subList(1, words.size()).stream().filter(w -> !w.startsWith("--")).toList();
  }

  @Test
  void everyImageIsAStageOrAPlainName() {
    Map<String, String> arguments = new HashMap<>();
    for (List<String> argument : all("ARG")) {
      String[] pair = argument.get(1).split("=", 2);
      arguments.put("${" + pair[0] + "}", pair[1]);
    }
    List<String> stages = new ArrayList<>();
    for (List<String> from : all("FROM")) {
      List<String> words = operands(from);
      String image = words.getFirst();
      for (Map.Entry<String, String> argument : arguments.entrySet()) {
        image = image.replace(argument.getKey(), argument.getValue());
      }
      if (!stages.contains(image)) {
        assertThat(image).matches("[a-z-]+:[a-z0-9-]+");
      }
      if (words.size() == 3) {
        assertThat(words.get(1)).isEqualTo("AS");
        stages.add(words.get(2));
      }
    }
    assertThat(stages).contains("build", "runtime");
    for (List<String> copy : all("COPY")) {
      copy.stream()
          .filter(word -> word.startsWith("--from="))
          .forEach(word -> assertThat(stages).contains(word.substring("--from=".length())));
    }
  }

  @Test
  void whatIsCopiedFromTheSourcesExists() {
    for (List<String> copy : all("COPY")) {
      if (copy.stream().noneMatch(word -> word.startsWith("--from="))) {
        assertThat(Patchbay.root().resolve(operands(copy).getFirst())).exists();
      }
    }
    assertThat(Dockerfile.FILE.resolveSibling("Dockerfile.dockerignore")).exists();
  }

  @Test
  void theImageStartsTheLauncherWithTheRuntimeBesideIt() {
    assertThat(all("ENTRYPOINT"))
        .containsExactly(List.of("ENTRYPOINT", "[\"/opt/patchbay/bin/patchbay\"]"));
    assertThat(all("ENV")).last().isEqualTo(List.of("ENV", "JAVA_HOME=/opt/patchbay/jre"));
    assertThat(Dockerfile.jlinkArguments()).contains("/opt/patchbay/jre");
  }
}
