// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.golden;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.golden.GoldenFile.Step;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.assertj.core.util.diff.DiffUtils;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Each file of {@code resources/golden} is a rule: manifests go through source, compiler and
 * reconciler into stores that fail at random, and the outcome must be the one written down.
 * Manifests arrive twice, together and then one document after the other with the last first, which
 * must make no difference; and when they go, nothing may be left.
 *
 * <p>{@code make golden} writes the outcomes; what they say is for a person to read.
 */
class GoldenTest {
  private static final int AT_LEAST = 45;
  private static final Path FILES =
      Path.of(System.getProperty("patchbay.root", ".."), "java/src/test/resources/golden")
          .toAbsolutePath()
          .normalize();
  private static final boolean REWRITE = Boolean.getBoolean("patchbay.golden.rewrite");

  /** Everything that fails does so because of it. */
  private static final long SEED = Long.getLong("patchbay.golden.seed", 1);

  /** Histories of failure that a rule must survive, in each order of arrival. */
  private static final int STORES = 5;

  private static long faults;

  @TestFactory
  Stream<DynamicTest> rules(@TempDir Path scratch) throws IOException {
    List<Path> files;
    try (Stream<Path> found = Files.list(FILES)) {
      files = found.sorted().toList();
    }
    assertThat(files.size()).as("golden files in %s", FILES).isGreaterThanOrEqualTo(AT_LEAST);
    assertThat(files).allMatch(f -> f.getFileName().toString().matches("[a-z0-9-]+\\.txtar"));
    faults = 0;
    Stream<DynamicTest> rules =
        files.stream()
            .map(
                file -> {
                  String rule = file.getFileName().toString().replace(".txtar", "");
                  return DynamicTest.dynamicTest(
                      rule, file.toUri(), () -> check(rule, file, scratch.resolve(rule)));
                });
    return Stream.concat(
        rules,
        Stream.of(
            DynamicTest.dynamicTest(
                "(the stores did fail)",
                () -> assertThat(faults).as("faults made").isGreaterThan(files.size()))));
  }

  private static void check(String rule, Path file, Path scratch) throws Exception {
    String text = Files.readString(file);
    GoldenFile golden = GoldenFile.parse(text);
    Files.createDirectory(scratch);
    Random seeds = new Random(SEED + rule.hashCode());
    List<String> outcomes = run(golden, scratch.resolve("together"), seeds, false);
    if (!golden.arrivalMatters()) {
      List<String> reversed = run(golden, scratch.resolve("last-first"), seeds, true);
      compare(rule + ", arrived together", outcomes, rule + ", arrived last first", reversed);
    }
    if (REWRITE) {
      Files.writeString(file, GoldenFile.withOutcomes(text, outcomes));
      return;
    }
    List<String> expected = new ArrayList<>();
    for (Step step : golden.steps()) {
      assertThat(step.outcome())
          .as("outcome of step %s of %s; make golden writes it", expected.size() + 1, file)
          .isPresent();
      expected.add(step.outcome().orElseThrow());
    }
    compare(rule + ", as written down", expected, rule + ", as it is", outcomes);
  }

  /** The outcome of each step. */
  private static List<String> run(
      GoldenFile golden, Path directory, Random seeds, boolean lastFirst) throws Exception {
    Pipelines pipelines = new Pipelines(seeds.longs(STORES).toArray());
    List<String> outcomes = new ArrayList<>();
    try (ManifestFeed feed = new ManifestFeed(directory, golden.serviceCidrs())) {
      List<String> present = new ArrayList<>();
      for (Step step : golden.steps()) {
        boolean first = outcomes.isEmpty();
        if (first && lastFirst) {
          pipelines.start(feed.start());
        }
        List<Map.Entry<String, Optional<String>>> changes =
            new ArrayList<>(step.files().entrySet());
        for (Map.Entry<String, Optional<String>> change :
            lastFirst ? changes.reversed() : changes) {
          present.remove(change.getKey());
          if (change.getValue().isEmpty()) {
            feed.remove(change.getKey());
          } else {
            present.add(change.getKey());
            write(feed, pipelines, change.getKey(), change.getValue().get(), first && lastFirst);
          }
          if (lastFirst) {
            feed.drain(pipelines::change);
          }
        }
        if (first && !lastFirst) {
          pipelines.start(feed.start());
        } else if (!lastFirst) {
          feed.drain(pipelines::change);
        }
        outcomes.add(pipelines.outcome());
      }
      for (String name : present) {
        feed.remove(name);
      }
      feed.drainEmpty(pipelines::change);
      pipelines.checkEmpty();
    } catch (Throwable e) {
      throw new AssertionError(
          (lastFirst ? "arriving last first" : "arriving together") + ", seed " + SEED, e);
    }
    faults += pipelines.faults();
    return outcomes;
  }

  /** Writes a file, its documents one after the other if wanted, the last first. */
  private static void write(
      ManifestFeed feed, Pipelines pipelines, String name, String text, boolean byDocument)
      throws IOException, InterruptedException {
    if (byDocument && !name.endsWith(".json")) {
      List<String> documents = List.of(text.split("(?m)^(?=---$)", -1));
      for (int missing = documents.size() - 1; missing > 0; missing--) {
        StringBuilder partial = new StringBuilder();
        documents.subList(0, missing).forEach(d -> partial.append(blank(d)));
        documents.subList(missing, documents.size()).forEach(partial::append);
        feed.write(name, partial.toString());
        feed.drain(pipelines::change);
      }
    }
    feed.write(name, text);
  }

  /** A document of as many lines that holds nothing, so that numbers stay what they are. */
  private static String blank(String document) {
    return "---" + "\n".repeat((int) document.lines().count());
  }

  private static void compare(
      String expectedName, List<String> expected, String actualName, List<String> actual) {
    List<String> expectedLines = lines(expected);
    List<String> actualLines = lines(actual);
    if (!expectedLines.equals(actualLines)) {
      throw new AssertionError(
          "\n"
              + String.join(
                  "\n",
                  DiffUtils.generateUnifiedDiff(
                      expectedName,
                      actualName,
                      expectedLines,
                      DiffUtils.diff(expectedLines, actualLines),
                      5)));
    }
  }

  private static List<String> lines(List<String> outcomes) {
    List<String> lines = new ArrayList<>();
    for (String outcome : outcomes) {
      lines.add("step " + (lines.stream().filter(l -> l.startsWith("step ")).count() + 1));
      lines.addAll(outcome.lines().toList());
    }
    return lines;
  }
}
