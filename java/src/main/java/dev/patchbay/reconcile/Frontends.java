// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.reconcile;

import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.FrontendValue;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Every frontend that is wanted or believed to be in the map, side by side. Owner thread.
 *
 * <p>{@link #unsettled} holds the keys whose two sides may differ and that are no row's business:
 * those that nobody wants, and wildcards.
 */
final class Frontends {
  private static final class Entry {
    /** Whose row wants it; null if none does. */
    @Nullable Slot owner;

    /** What it is wanted to hold as a wildcard; null if it is not wanted as one. */
    @Nullable FrontendValue wildcard;

    /** What the map holds; null if nothing. */
    @Nullable FrontendValue observed;

    /** The last audit that met it in the map, or during which it was written. */
    int audited;

    boolean unwanted() {
      return owner == null && wildcard == null;
    }
  }

  private final Map<FrontendKey, Entry> entries = new HashMap<>();

  /** How many frontends name each index. */
  private final int[] references;

  private Set<FrontendKey> unsettled = new LinkedHashSet<>();
  private int observedCount;

  /** The number of the audit under way, or of the last one. */
  private int audit;

  /** How many entries that the map is believed to hold have been met by it. */
  private int auditedCount;

  Frontends(Map<FrontendKey, FrontendValue> observed, int services) {
    references = new int[services];
    observed.forEach(this::observe);
    unsettled.addAll(observed.keySet());
  }

  void want(FrontendKey key, Slot owner) {
    entry(key).owner = owner;
  }

  void unwant(FrontendKey key, Slot owner) {
    Entry entry = entries.get(key);
    if (entry != null && entry.owner == owner) {
      entry.owner = null;
      settleLater(key, entry);
    }
  }

  /** Wants a wildcard; null: no longer. */
  void wantWildcard(FrontendKey key, @Nullable FrontendValue value) {
    Entry entry = entry(key);
    entry.wildcard = value;
    settleLater(key, entry);
  }

  /** Looks at a key again although nothing about it has changed. */
  void lookAgain(FrontendKey key) {
    settleLater(key, entry(key));
  }

  private Entry entry(FrontendKey key) {
    return entries.computeIfAbsent(key, _ -> new Entry());
  }

  private void settleLater(FrontendKey key, Entry entry) {
    if (entry.unwanted() && entry.observed == null) {
      entries.remove(key);
      unsettled.remove(key);
    } else {
      unsettled.add(key);
    }
  }

  /** What the map is believed to hold at this key. */
  @Nullable FrontendValue observed(FrontendKey key) {
    Entry entry = entries.get(key);
    return entry == null ? null : entry.observed;
  }

  /** Whether the map is believed to lead this key to this index. */
  boolean leadsTo(FrontendKey key, int index) {
    return observed(key) instanceof FrontendValue.ToService(int named) && named == index;
  }

  boolean isUnwanted(FrontendKey key) {
    Entry entry = entries.get(key);
    return entry != null && entry.unwanted();
  }

  /** What it is wanted to hold as a wildcard; null if it is not wanted as one, or by a row. */
  @Nullable FrontendValue wildcard(FrontendKey key) {
    Entry entry = entries.get(key);
    return entry == null || entry.owner != null ? null : entry.wildcard;
  }

  /** All wildcards that are wanted. */
  Map<FrontendKey, FrontendValue> wildcards() {
    Map<FrontendKey, FrontendValue> wildcards = new LinkedHashMap<>();
    entries.forEach(
        (key, entry) -> {
          if (entry.wildcard != null) {
            wildcards.put(key, entry.wildcard);
          }
        });
    return wildcards;
  }

  /** From now on the map is believed to hold this. */
  void observe(FrontendKey key, FrontendValue value) {
    Entry entry = entry(key);
    if (entry.observed == null) {
      observedCount++;
    }
    reference(entry.observed, -1);
    reference(value, 1);
    entry.observed = value;
    met(entry);
  }

  /** From now on the map is believed to hold nothing at this key. */
  void observeNothing(FrontendKey key) {
    Entry entry = entries.get(key);
    if (entry == null || entry.observed == null) {
      return;
    }
    observedCount--;
    if (entry.audited == audit) {
      auditedCount--;
    }
    entry.audited = 0;
    reference(entry.observed, -1);
    entry.observed = null;
    if (entry.unwanted()) {
      entries.remove(key);
    }
  }

  private void met(Entry entry) {
    if (entry.audited != audit) {
      entry.audited = audit;
      auditedCount++;
    }
  }

  /** Forgets what earlier audits met. What is written from now on counts as met. */
  void beginAudit() {
    audit++;
    auditedCount = 0;
  }

  /** Compares an entry of the map with what is believed of it. */
  void audit(FrontendKey key, FrontendValue value, List<Drift> found) {
    Entry entry = entries.get(key);
    if (entry == null || entry.observed == null) {
      found.add(new Drift(Drift.Kind.FRONTEND_FOREIGN, "frontend " + key + " is not wanted"));
      return;
    }
    met(entry);
    if (!entry.observed.equals(value)) {
      found.add(
          new Drift(
              Drift.Kind.FRONTEND_ALTERED,
              "frontend "
                  + key
                  + " leads to "
                  + Plan.UpsertFrontends.describe(value)
                  + " in place of "
                  + Plan.UpsertFrontends.describe(entry.observed)));
    }
  }

  /** All of the map has been seen: what was not met is not there. */
  void endAudit(List<Drift> found) {
    if (auditedCount == observedCount) {
      return; // so nobody pays for a look at each of them
    }
    entries.forEach(
        (key, entry) -> {
          if (entry.observed != null && entry.audited != audit) {
            found.add(new Drift(Drift.Kind.FRONTEND_MISSING, "frontend " + key + " is missing"));
          }
        });
  }

  private void reference(@Nullable FrontendValue value, int delta) {
    if (value instanceof FrontendValue.ToService(int index) && index < references.length) {
      references[index] += delta;
    }
  }

  /** How many frontends are believed to name this index. */
  int references(int index) {
    return references[index];
  }

  /** How many entries the map is believed to hold. */
  int observedCount() {
    return observedCount;
  }

  Set<FrontendKey> unsettled() {
    return unsettled;
  }

  /** All unsettled keys have been seen to; these remain. */
  void settled(Set<FrontendKey> remaining) {
    unsettled = remaining;
  }
}
