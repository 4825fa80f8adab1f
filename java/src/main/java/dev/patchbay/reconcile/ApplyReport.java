// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.reconcile;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What one {@link Reconciler#apply} did.
 *
 * @param rangesWritten sets written
 * @param backendsWritten rows in those sets
 * @param wordsPublished words published
 * @param frontendsUpserted entries inserted or replaced
 * @param frontendsDeleted entries deleted
 * @param released indexes and ranges put into quarantine
 * @param rounds plans carried out; more than one if the first had to make room
 * @param readersAwaited how often the owner itself waited for readers, because nothing was free
 * @param reread whether the maps were read again first, because an earlier apply had failed
 * @param nanos how long it took
 * @param failures what failed; empty if all that fits is in place
 */
public record ApplyReport(
    int rangesWritten,
    int backendsWritten,
    int wordsPublished,
    int frontendsUpserted,
    int frontendsDeleted,
    int released,
    int rounds,
    int readersAwaited,
    boolean reread,
    long nanos,
    List<Failure> failures) {
  public ApplyReport {
    failures = List.copyOf(failures);
  }

  /**
   * A call that the store refused. What it was for stays pending.
   *
   * @param operation what was tried
   * @param cause the store's answer
   */
  public record Failure(String operation, StoreException cause) {
    @Override
    public String toString() {
      return operation + ": " + cause.getMessage();
    }
  }

  /** Whether nothing failed. */
  public boolean succeeded() {
    return failures.isEmpty();
  }

  /** Whether the maps were written at all. */
  public boolean changedAnything() {
    return rangesWritten + wordsPublished + frontendsUpserted + frontendsDeleted > 0;
  }

  /** The counts by name, in the order in which they are told. */
  public Map<String, Object> counts() {
    Map<String, Object> counts = new LinkedHashMap<>();
    counts.put("ranges", rangesWritten);
    counts.put("backends", backendsWritten);
    counts.put("words", wordsPublished);
    counts.put("frontends", frontendsUpserted);
    counts.put("deleted", frontendsDeleted);
    counts.put("released", released);
    counts.put("rounds", rounds);
    counts.put("awaited", readersAwaited);
    counts.put("reread", reread);
    counts.put("micros", nanos / 1000);
    counts.put("failures", failures.size());
    return counts;
  }

  /** The counts as {@code key=value} pairs. */
  @Override
  public String toString() {
    return counts().entrySet().stream()
        .map(count -> count.getKey() + "=" + count.getValue())
        .collect(Collectors.joining(" "));
  }
}
