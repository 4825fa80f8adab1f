// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.reconcile;

import dev.patchbay.table.Backend;
import dev.patchbay.table.ObservedState;
import dev.patchbay.table.ServiceSettings;
import dev.patchbay.table.ServiceWord;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What {@code services} and the ranges it names are believed to hold, by index. The set behind an
 * adopted word is read when it is first asked for: nobody rewrites a range that can be reached.
 * Owner thread.
 */
final class Programmed {
  private final ServiceWord[] words;
  private final ServiceSettings[] settings;
  private final @Nullable List<Backend>[] sets;
  private final ObservedState.BackendReader reader;
  private final int rows;

  @SuppressWarnings({
    "unchecked",
    "rawtypes"
  }) // an array of a generic type cannot be made otherwise
  Programmed(ObservedState observed) {
    int capacity = observed.capacity().services();
    words = new ServiceWord[capacity];
    Arrays.fill(words, ServiceWord.NONE);
    settings = new ServiceSettings[capacity];
    Arrays.fill(settings, ServiceSettings.NONE);
    sets = new List[capacity];
    reader = observed.backends();
    rows = observed.capacity().backends();
    observed
        .services()
        .forEach(
            (index, service) -> {
              words[index] = service.word();
              settings[index] = service.settings();
            });
  }

  /** Whether there is such an index. */
  boolean covers(int index) {
    return index < words.length;
  }

  /** What was last published at this index; its generation counts even if nothing leads there. */
  ServiceWord word(int index) {
    return words[index];
  }

  ServiceSettings settings(int index) {
    return settings[index];
  }

  /** The backends at this index, if anybody asked for them since it was adopted or published. */
  @Nullable List<Backend> set(int index) {
    return sets[index];
  }

  boolean hasSettings(int index, ServiceSettings wanted) {
    return settings[index].equals(wanted);
  }

  /** Whether the range at this index holds exactly these backends. */
  boolean hasSet(int index, List<Backend> wanted) {
    List<Backend> set = sets[index];
    if (set == null) {
      BackendRange range = BackendRange.of(words[index]);
      if (range.count() != wanted.size() || range.end() > rows) {
        return false;
      }
      set = reader.read(range.base(), range.count());
    }
    boolean same = set.equals(wanted);
    sets[index] = same ? wanted : set; // one list for both sides saves memory
    return same;
  }

  void published(int index, ServiceWord word, ServiceSettings newSettings, List<Backend> set) {
    words[index] = word;
    settings[index] = newSettings;
    sets[index] = set;
  }

  /** Nothing leads to this index any more: only its generation counts. */
  void forget(int index) {
    sets[index] = null;
  }
}
