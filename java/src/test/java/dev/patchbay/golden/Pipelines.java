// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.golden;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.manifest.Loaded;
import java.util.Arrays;
import java.util.List;

/** The same input to several pipelines whose stores fail differently; all must come to the same. */
final class Pipelines {
  private final List<Pipeline> all;

  Pipelines(long... seeds) {
    all = Arrays.stream(seeds).mapToObj(Pipeline::new).toList();
  }

  void start(Loaded first) {
    all.forEach(pipeline -> pipeline.start(first));
  }

  void change(Loaded loaded) {
    all.forEach(pipeline -> pipeline.change(loaded));
  }

  /** What holds now, for people. */
  String outcome() {
    String outcome = all.getFirst().outcome();
    assertThat(all).allSatisfy(p -> assertThat(p.outcome()).isEqualTo(outcome));
    return outcome;
  }

  void checkEmpty() {
    all.forEach(Pipeline::checkEmpty);
  }

  /** How many calls the stores have refused. */
  long faults() {
    return all.stream().mapToLong(Pipeline::faults).sum();
  }
}
