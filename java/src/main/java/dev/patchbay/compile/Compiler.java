// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.compile;

import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.ServicePortKey;
import dev.patchbay.model.ServiceState;
import dev.patchbay.table.DesiredChange;
import dev.patchbay.table.DesiredState;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.FrontendValue;
import dev.patchbay.table.ServiceRow;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Compiles all Services, step by step: each {@link #update} does work in proportion to what
 * changed, and the sum of all steps is what compilation of the last state from scratch would give,
 * in whatever order the changes came.
 *
 * <p>If several Services want one frontend, the older one has it ({@code createdMillis}, then the
 * key); the others keep their other frontends, and a Service port that is left without any has no
 * row. When the winner goes, the next in line gets the frontend. An address that several Services
 * share refuses unknown ports as long as one of them has it.
 *
 * <p>Not thread-safe: one thread, the owner, calls it.
 */
public final class Compiler {
  private final NodeFacts node;
  private final Map<ObjectKey, Entry> services = new HashMap<>();
  private final Map<ServicePortKey, ServiceRow> wanted = new HashMap<>();
  private final Map<ServicePortKey, ServiceRow> granted = new HashMap<>();
  private final FrontendClaims claims = new FrontendClaims();
  private final Map<FrontendKey, Integer> wildcardUsers = new HashMap<>();

  /** Only Services that have any. */
  private final Map<ObjectKey, List<Rejection>> rejections = new TreeMap<>();

  private record Entry(ServiceState state, CompiledService compiled) {}

  public Compiler(NodeFacts node) {
    this.node = node;
  }

  /**
   * Takes in changed Services.
   *
   * @param upserted Services that are new or may have changed; of several with one key the last
   *     counts
   * @param removed Services that are gone; unknown keys, and keys that are also in {@code
   *     upserted}, are passed over
   * @return the difference it makes, rows sorted by key; empty if it makes none
   */
  public DesiredChange update(Collection<ServiceState> upserted, Collection<ObjectKey> removed) {
    Map<ObjectKey, @Nullable ServiceState> changes = new LinkedHashMap<>();
    removed.forEach(key -> changes.put(key, null));
    upserted.forEach(state -> changes.put(state.key(), state));
    Touched touched = new Touched(new HashSet<>(), new HashMap<>());
    changes.forEach((key, state) -> replace(key, state, touched));
    return difference(touched);
  }

  /** All rows that are wanted now. Takes time in proportion to their number. */
  public DesiredState desired() {
    Map<FrontendKey, FrontendValue> wildcards = HashMap.newHashMap(wildcardUsers.size());
    wildcardUsers.keySet().forEach(key -> wildcards.put(key, FrontendValue.REFUSE));
    return new DesiredState(granted, wildcards);
  }

  /** All that could not be granted, sorted; also what has not changed since the last call. */
  public List<Rejection> rejections() {
    List<Rejection> all = new ArrayList<>();
    rejections.values().forEach(all::addAll);
    claims.rejections(all::add);
    all.sort(null);
    return List.copyOf(all);
  }

  /**
   * What an update may have changed.
   *
   * @param rows keys of rows
   * @param wildcards each with whether it was wanted before
   */
  private record Touched(Set<ServicePortKey> rows, Map<FrontendKey, Boolean> wildcards) {}

  private void replace(ObjectKey key, @Nullable ServiceState state, Touched touched) {
    Entry before = services.get(key);
    if (before == null ? state == null : before.state.equals(state)) {
      return;
    }
    if (before != null) {
      withdraw(before, touched);
      services.remove(key);
      rejections.remove(key);
    }
    if (state != null) {
      Entry now = new Entry(state, ServiceCompiler.compile(state, node));
      services.put(key, now);
      introduce(now, touched);
      if (!now.compiled.rejections().isEmpty()) {
        rejections.put(key, now.compiled.rejections());
      }
    }
  }

  private void withdraw(Entry entry, Touched touched) {
    for (ServiceRow row : entry.compiled.rows()) {
      wanted.remove(row.key());
      touched.rows.add(row.key());
      var claim = new FrontendClaims.Claim(entry.state.service().createdMillis(), row.key());
      row.frontends().forEach(f -> claims.remove(f, claim, touched.rows::add));
    }
    for (FrontendKey wildcard : entry.compiled.refused()) {
      touched.wildcards.putIfAbsent(wildcard, true);
      wildcardUsers.computeIfPresent(wildcard, (w, users) -> users == 1 ? null : users - 1);
    }
  }

  private void introduce(Entry entry, Touched touched) {
    for (ServiceRow row : entry.compiled.rows()) {
      wanted.put(row.key(), row);
      touched.rows.add(row.key());
      var claim = new FrontendClaims.Claim(entry.state.service().createdMillis(), row.key());
      row.frontends().forEach(f -> claims.add(f, claim, touched.rows::add));
    }
    for (FrontendKey wildcard : entry.compiled.refused()) {
      touched.wildcards.putIfAbsent(wildcard, wildcardUsers.containsKey(wildcard));
      wildcardUsers.merge(wildcard, 1, Integer::sum);
    }
  }

  private DesiredChange difference(Touched touched) {
    List<ServiceRow> upserted = new ArrayList<>();
    Set<ServicePortKey> removed = new HashSet<>();
    for (ServicePortKey key : touched.rows) {
      ServiceRow now = grant(wanted.get(key));
      ServiceRow before = granted.get(key);
      if (Objects.equals(now, before)) {
        continue;
      }
      if (now == null) {
        granted.remove(key);
        removed.add(key);
      } else {
        granted.put(key, now);
        upserted.add(now);
      }
    }
    upserted.sort(Comparator.comparing(ServiceRow::key));
    Map<FrontendKey, FrontendValue> wildcards = new HashMap<>();
    Set<FrontendKey> unwanted = new HashSet<>();
    touched.wildcards.forEach(
        (wildcard, before) -> {
          boolean now = wildcardUsers.containsKey(wildcard);
          if (now && !before) {
            wildcards.put(wildcard, FrontendValue.REFUSE);
          } else if (before && !now) {
            unwanted.add(wildcard);
          }
        });
    return new DesiredChange(upserted, removed, wildcards, unwanted);
  }

  /** The row with the frontends that it owns; null if it owns none. */
  private @Nullable ServiceRow grant(@Nullable ServiceRow row) {
    if (row == null) {
      return null;
    }
    List<FrontendKey> owned = new ArrayList<>(row.frontends().size());
    for (FrontendKey frontend : row.frontends()) {
      if (claims.owns(frontend, row.key())) {
        owned.add(frontend);
      }
    }
    if (owned.size() == row.frontends().size()) {
      return row;
    }
    return owned.isEmpty()
        ? null
        : new ServiceRow(row.key(), owned, row.backends(), row.settings());
  }
}
