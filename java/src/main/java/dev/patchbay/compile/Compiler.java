// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.compile;

import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Service;
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
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Compiles all Services, step by step: each {@link #update} does work in proportion to what
 * changed, and the sum of all steps is what compilation of the last state from scratch would give,
 * in whatever order the changes came.
 *
 * <p>If several Services want one frontend, the one whose cluster IP it is has it, then the older
 * one ({@code createdMillis}, then the key); the others keep their other frontends, and a Service
 * port that is left without any has no row. When the winner goes, the next in line gets the
 * frontend. An address that several Services share refuses unknown ports as long as one of them has
 * it.
 *
 * <p>Not thread-safe: one thread, the owner, calls it.
 */
public final class Compiler {
  private NodeFacts node;
  private final Map<ObjectKey, Entry> services = new HashMap<>();
  private final Map<ServicePortKey, ServiceRow> wanted = new HashMap<>();
  private final Map<ServicePortKey, ServiceRow> granted = new HashMap<>();
  private final FrontendClaims claims = new FrontendClaims();

  /** How many Services have each cluster IP, by its wildcard. */
  private final Map<FrontendKey, Integer> clusterIpUsers = new HashMap<>();

  private Set<FrontendKey> nodeAddresses;

  /** Only Services that have any. */
  private final Map<ObjectKey, List<Rejection>> rejections = new TreeMap<>();

  private record Entry(ServiceState state, CompiledService compiled) {}

  public Compiler(NodeFacts node) {
    this.node = node;
    nodeAddresses = wildcards(node);
  }

  private static Set<FrontendKey> wildcards(NodeFacts node) {
    Set<FrontendKey> wildcards = HashSet.newHashSet(node.addresses().size());
    node.addresses().forEach(address -> wildcards.add(FrontendKey.wildcard(address)));
    return wildcards;
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

  /**
   * Takes in what has changed about nodes. Takes time in proportion to the number of Services if
   * this node's name or zone is another one, else to the number of addresses.
   *
   * @return the difference it makes
   */
  public DesiredChange updateNode(NodeFacts now) {
    NodeFacts before = node;
    Touched touched = new Touched(new HashSet<>(), new HashMap<>());
    nodeAddresses.forEach(wildcard -> touch(wildcard, touched));
    Set<FrontendKey> addresses = wildcards(now);
    addresses.forEach(wildcard -> touch(wildcard, touched));
    node = now;
    nodeAddresses = addresses;
    if (!now.nodeName().equals(before.nodeName()) || !now.zone().equals(before.zone())) {
      List<Entry> all = List.copyOf(services.values());
      for (Entry entry : all) {
        Entry again = new Entry(entry.state, ServiceCompiler.compile(entry.state, node));
        if (!again.compiled.equals(entry.compiled)) {
          exchange(entry.state.key(), entry, again, touched);
        }
      }
    }
    return difference(touched);
  }

  /** Who has a frontend now. */
  public Optional<ServicePortKey> owner(FrontendKey frontend) {
    return Optional.ofNullable(claims.owner(frontend));
  }

  /** All rows that are wanted now. Takes time in proportion to their number. */
  public DesiredState desired() {
    Map<FrontendKey, FrontendValue> wildcards =
        HashMap.newHashMap(clusterIpUsers.size() + nodeAddresses.size());
    clusterIpUsers.keySet().forEach(key -> wildcards.put(key, FrontendValue.REFUSE));
    nodeAddresses.forEach(key -> wildcards.put(key, FrontendValue.NODE_ADDRESS));
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
   * @param wildcards each with what it was wanted to hold before
   */
  private record Touched(
      Set<ServicePortKey> rows, Map<FrontendKey, Optional<FrontendValue>> wildcards) {}

  private void touch(FrontendKey wildcard, Touched touched) {
    touched.wildcards.computeIfAbsent(wildcard, this::wildcard);
  }

  /** What a wildcard is wanted to hold; a node's address is never refused as a whole. */
  private Optional<FrontendValue> wildcard(FrontendKey key) {
    if (nodeAddresses.contains(key)) {
      return Optional.of(FrontendValue.NODE_ADDRESS);
    }
    return clusterIpUsers.containsKey(key) ? Optional.of(FrontendValue.REFUSE) : Optional.empty();
  }

  private void replace(ObjectKey key, @Nullable ServiceState state, Touched touched) {
    Entry before = services.get(key);
    if (before == null ? state == null : before.state.equals(state)) {
      return;
    }
    Entry now = state == null ? null : new Entry(state, ServiceCompiler.compile(state, node));
    exchange(key, before, now, touched);
  }

  private void exchange(
      ObjectKey key, @Nullable Entry before, @Nullable Entry now, Touched touched) {
    if (before != null) {
      withdraw(before, touched);
      services.remove(key);
      rejections.remove(key);
    }
    if (now != null) {
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
      row.frontends().forEach(f -> claims.remove(f, claim(entry, row, f), touched.rows::add));
    }
    for (FrontendKey wildcard : entry.compiled.refused()) {
      touch(wildcard, touched);
      clusterIpUsers.computeIfPresent(wildcard, (w, users) -> users == 1 ? null : users - 1);
    }
  }

  private void introduce(Entry entry, Touched touched) {
    for (ServiceRow row : entry.compiled.rows()) {
      wanted.put(row.key(), row);
      touched.rows.add(row.key());
      row.frontends().forEach(f -> claims.add(f, claim(entry, row, f), touched.rows::add));
    }
    for (FrontendKey wildcard : entry.compiled.refused()) {
      touch(wildcard, touched);
      clusterIpUsers.merge(wildcard, 1, Integer::sum);
    }
  }

  private static FrontendClaims.Claim claim(Entry entry, ServiceRow row, FrontendKey frontend) {
    Service service = entry.state.service();
    return new FrontendClaims.Claim(
        service.clusterIps().contains(frontend.address()), service.createdMillis(), row.key());
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
          Optional<FrontendValue> now = wildcard(wildcard);
          if (now.isPresent() && !now.equals(before)) {
            wildcards.put(wildcard, now.get());
          } else if (now.isEmpty() && before.isPresent()) {
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
