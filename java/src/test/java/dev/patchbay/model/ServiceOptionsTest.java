// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class ServiceOptionsTest {
  private final List<String> problems = new ArrayList<>();

  private ServiceOptions read(Map<String, String> annotations) {
    return ServiceOptions.read(annotations, (field, why) -> problems.add(field + ": " + why));
  }

  @Test
  void annotationsOfOthersArePassedOver() {
    assertThat(read(Map.of("example.com/terminate-connections", "true", "patchbay.dev", "x")))
        .isEqualTo(ServiceOptions.NONE);
    assertThat(problems).isEmpty();
  }

  @Test
  void trueAndFalse() {
    assertThat(
            read(
                Map.of(
                    "patchbay.dev/terminate-connections", "true",
                    "patchbay.dev/backend-metrics", "false")))
        .isEqualTo(new ServiceOptions(true, false));
    assertThat(read(Map.of("patchbay.dev/backend-metrics", "true")))
        .isEqualTo(new ServiceOptions(false, true));
    assertThat(problems).isEmpty();
  }

  @Test
  void whatHasNoMeaningIsReportedAndAbsent() {
    assertThat(
            read(
                Map.of(
                    "patchbay.dev/terminate-connections", "yes",
                    "patchbay.dev/terminate-connection", "true")))
        .isEqualTo(ServiceOptions.NONE);
    assertThat(problems)
        .containsExactly(
            "metadata.annotations[patchbay.dev/terminate-connection]: is unknown; there are"
                + " patchbay.dev/terminate-connections and patchbay.dev/backend-metrics; ignored",
            "metadata.annotations[patchbay.dev/terminate-connections]: \"yes\" is neither true nor"
                + " false; ignored");
  }
}
