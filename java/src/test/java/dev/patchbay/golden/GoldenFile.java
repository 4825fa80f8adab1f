// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.golden;

import dev.patchbay.golden.Txtar.Section;
import dev.patchbay.manifest.ManifestSettings;
import dev.patchbay.model.Cidr;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A behaviour written down: a sentence about it, manifests, and what follows from them, step by
 * step.
 *
 * <pre>
 *   What the rule is and why.
 *
 *   -- settings --                 optional; a line "service-cidr CIDR[,CIDR]", a line
 *                                  "arrival together: REASON" if the order of arrival matters
 *   -- a.yaml --                   a manifest
 *   -- outcome --                  what follows; written by make golden
 *   -- step 2: a.yaml --           a manifest that is new, or replaced
 *   -- step 2: b.yaml removed --   a manifest that goes
 *   -- step 2: outcome --
 * </pre>
 *
 * <p>A step in which addresses change hands should change one file only: those that follow the
 * directory may see the files of one step one after the other.
 *
 * @param comment the sentence about it
 * @param serviceCidrs the service ranges
 * @param arrivalMatters whether manifests must arrive together to have this outcome
 * @param steps in order, at least one
 */
record GoldenFile(
    String comment, List<Cidr> serviceCidrs, boolean arrivalMatters, List<Step> steps) {
  private static final Pattern MANIFEST =
      Pattern.compile("(?:step (\\d+): )?([a-z][a-z0-9.-]*\\.(?:yaml|yml|json))( removed)?");
  private static final Pattern OUTCOME = Pattern.compile("(?:step (\\d+): )?outcome");
  private static final String ARRIVAL = "arrival together: ";
  private static final String SERVICE_CIDR = "service-cidr ";

  /**
   * A step.
   *
   * @param files by name what the file holds now; empty if it is gone
   * @param outcome what is expected; empty if that is not written down
   */
  record Step(Map<String, Optional<String>> files, Optional<String> outcome) {}

  static GoldenFile parse(String text) {
    Txtar txtar = Txtar.parse(text);
    require(!txtar.comment().isEmpty(), "does not begin with a sentence about the rule");
    List<Cidr> serviceCidrs = ManifestSettings.DEFAULT_SERVICE_CIDRS;
    boolean arrivalMatters = false;
    TreeMap<Integer, Map<String, Optional<String>>> files = new TreeMap<>();
    Map<Integer, String> outcomes = new HashMap<>();
    for (Section section : txtar.sections()) {
      Matcher manifest = MANIFEST.matcher(section.name());
      Matcher outcome = OUTCOME.matcher(section.name());
      if (manifest.matches()) {
        boolean removed = manifest.group(3) != null;
        Object before =
            files
                .computeIfAbsent(step(manifest), _ -> new LinkedHashMap<>())
                .put(
                    Objects.requireNonNull(manifest.group(2)),
                    removed ? Optional.empty() : Optional.of(section.text()));
        require(before == null, "has two sections \"" + section.name() + "\"");
        require(!removed || section.text().isEmpty(), "\"" + section.name() + "\" has a text");
      } else if (outcome.matches()) {
        Object before = outcomes.put(step(outcome), section.text());
        require(before == null, "has two sections \"" + section.name() + "\"");
      } else {
        require(section.name().equals("settings"), "has a section \"" + section.name() + "\"");
        for (String line : section.text().lines().toList()) {
          if (line.startsWith(SERVICE_CIDR)) {
            serviceCidrs = cidrs(line.substring(SERVICE_CIDR.length()));
          } else {
            require(line.startsWith(ARRIVAL), "has an unknown setting: " + line);
            arrivalMatters = true;
          }
        }
      }
    }
    require(!files.isEmpty(), "has no manifests");
    require(files.lastKey() == files.size(), "has steps " + files.keySet());
    require(files.keySet().containsAll(outcomes.keySet()), "has outcomes " + outcomes.keySet());
    List<Step> steps = new ArrayList<>();
    files.forEach(
        (number, changes) ->
            steps.add(new Step(changes, Optional.ofNullable(outcomes.get(number)))));
    return new GoldenFile(txtar.comment(), serviceCidrs, arrivalMatters, List.copyOf(steps));
  }

  private static int step(Matcher name) {
    return name.group(1) == null ? 1 : Integer.parseInt(name.group(1));
  }

  private static List<Cidr> cidrs(String text) {
    return Arrays.stream(text.split(",", -1)).map(c -> Cidr.parse(c).orElseThrow()).toList();
  }

  private static void require(boolean condition, String otherwise) {
    if (!condition) {
      throw new AssertionError("the golden file " + otherwise);
    }
  }

  /** The file {@code text} with other expectations; everything else stays as it is. */
  static String withOutcomes(String text, List<String> outcomes) {
    Txtar txtar = Txtar.parse(text);
    List<Section> sections = new ArrayList<>();
    int step = 1;
    for (Section section : txtar.sections()) {
      Matcher manifest = MANIFEST.matcher(section.name());
      if (OUTCOME.matcher(section.name()).matches()) {
        continue;
      }
      if (manifest.matches() && step(manifest) > step) {
        sections.add(outcome(step, outcomes));
        step = step(manifest);
      }
      sections.add(section);
    }
    sections.add(outcome(step, outcomes));
    return new Txtar(txtar.comment(), sections).toString();
  }

  private static Section outcome(int step, List<String> outcomes) {
    return new Section(
        step == 1 ? "outcome" : "step " + step + ": outcome", outcomes.get(step - 1));
  }
}
