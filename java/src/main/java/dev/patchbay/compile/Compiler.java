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
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
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
 * <p>If several Services want one frontend, the older one has it ({@code createdMillis}, then the
 * key); the others keep their other frontends, and a Service port that is left without any has no
 * row. When the winner goes, the next in line gets the frontend. A Service's cluster IP is nobody
 * else's external address, on no port and at no age. An address that several Services share refuses
 * unknown ports as long as one of them has it, unless it is a node's.
 *
 * <p>Not thread-safe: one thread, the owner, calls it.
 */
public final class Compiler {
  private NodeFacts node;
  private final Map<ObjectKey, Entry> services = new HashMap<>();
  private final Map<ServicePortKey, ServiceRow> wanted = new HashMap<>();
  private final Map<ServicePortKey, ServiceRow> granted = new HashMap<>();
  private final FrontendClaims claims = new FrontendClaims();

  /** Which Services have each cluster IP, by its wildcard; hardly ever more than one. */
  private final Map<FrontendKey, List<ObjectKey>> clusterIpUsers = new HashMap<>();

  /** Which Services have an external address, by its wildcard. */
  private final Map<FrontendKey, Set<ObjectKey>> externalUsers = new HashMap<>();

  /** Wildcards. */
  private Set<FrontendKey> nodeAddresses;

  /** Only Services that have any. */
  private final Map<ObjectKey, List<Rejection>> rejections = new TreeMap<>();

  private record Entry(ServiceState state, CompiledService compiled) {
    /** Never if there are external addresses: what becomes of them depends on others too. */
    boolean claimsTheSameAs(Entry other) {
      List<ServiceRow> rows = compiled.rows();
      List<ServiceRow> others = other.compiled.rows();
      boolean same =
          rows.size() == others.size()
              && state.service().createdMillis() == other.state.service().createdMillis()
              && compiled.refused().equals(other.compiled.refused())
              && externals(state.service()).isEmpty()
              && externals(other.state.service()).isEmpty();
      for (int i = 0; same && i < rows.size(); i++) {
        same =
            rows.get(i).key().equals(others.get(i).key())
                && rows.get(i).frontends().equals(others.get(i).frontends());
      }
      return same;
    }
  }

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
    Map<ObjectKey, @Nullable Entry> exchanged = LinkedHashMap.newLinkedHashMap(changes.size());
    changes.forEach(
        (key, state) -> {
          Entry before = services.get(key);
          if (before == null ? state != null : !before.state.equals(state)) {
            exchanged.put(key, state == null ? null : compile(state));
          }
        });
    Touched touched = new Touched(new HashSet<>(), new HashMap<>());
    exchange(exchanged, touched);
    return difference(touched);
  }

  /**
   * Takes in what has changed about nodes. If this node's name or zone is another one, takes time
   * in proportion to the number of Services, and compiles those again that can tell the difference;
   * else takes time in proportion to the number of addresses.
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
      Map<ObjectKey, @Nullable Entry> exchanged = new HashMap<>();
      services.forEach(
          (key, entry) -> {
            if (ServiceCompiler.dependsOnNode(entry.state)) {
              Entry again = compile(entry.state);
              if (!again.compiled.equals(entry.compiled)) {
                exchanged.put(key, again);
              }
            }
          });
      exchange(exchanged, touched);
    }
    return difference(touched);
  }

  private Entry compile(ServiceState state) {
    return new Entry(state, ServiceCompiler.compile(state, node));
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

  /**
   * Puts entries in place of others; null stands for none.
   *
   * @param moved to be changed: those with other claims are left in it
   */
  private void exchange(Map<ObjectKey, @Nullable Entry> moved, Touched touched) {
    moved.entrySet().removeIf(change -> renew(change.getKey(), change.getValue(), touched));
    if (!externalUsers.isEmpty()) {
      addConcerned(moved);
    }
    moved.forEach((key, now) -> withdraw(key, touched));
    // All cluster IPs first: what is an external address to one Service depends on the others.
    moved.forEach(
        (key, now) -> {
          if (now != null) {
            services.put(key, now);
            now.compiled.refused().forEach(wildcard -> addClusterIp(wildcard, key, touched));
          }
        });
    moved.forEach(
        (key, now) -> {
          if (now != null) {
            claim(key, now, touched);
          }
        });
  }

  /**
   * Takes in an entry that claims what the one before it claims, with other endpoints or settings:
   * by far the most frequent change. False if it is not such an entry.
   */
  private boolean renew(ObjectKey key, @Nullable Entry now, Touched touched) {
    Entry before = services.get(key);
    if (before == null || now == null || !before.claimsTheSameAs(now)) {
      return false;
    }
    services.put(key, now);
    for (ServiceRow row : now.compiled.rows()) {
      wanted.put(row.key(), row);
      touched.rows.add(row.key());
    }
    if (now.compiled.rejections().isEmpty()) {
      rejections.remove(key);
    } else {
      rejections.put(key, now.compiled.rejections());
    }
    return true;
  }

  /** Adds Services whose external addresses become, or cease to be, cluster IPs of others. */
  private void addConcerned(Map<ObjectKey, @Nullable Entry> moved) {
    Set<ObjectKey> concerned = new LinkedHashSet<>();
    moved.forEach(
        (key, now) ->
            movedClusterIps(services.get(key), now)
                .forEach(
                    wildcard -> concerned.addAll(externalUsers.getOrDefault(wildcard, Set.of()))));
    concerned.removeAll(moved.keySet());
    concerned.forEach(key -> moved.put(key, services.get(key)));
  }

  /** Cluster IPs that only one of two entries has. */
  private static Set<FrontendKey> movedClusterIps(@Nullable Entry before, @Nullable Entry now) {
    List<FrontendKey> had = before == null ? List.of() : before.compiled.refused();
    List<FrontendKey> has = now == null ? List.of() : now.compiled.refused();
    if (had.equals(has)) {
      return Set.of();
    }
    Set<FrontendKey> moved = new HashSet<>(had);
    has.forEach(
        wildcard -> {
          if (!moved.remove(wildcard)) {
            moved.add(wildcard);
          }
        });
    return moved;
  }

  private void addClusterIp(FrontendKey wildcard, ObjectKey user, Touched touched) {
    touch(wildcard, touched);
    clusterIpUsers.merge(
        wildcard,
        List.of(user),
        (before, added) -> {
          List<ObjectKey> users = new ArrayList<>(before);
          users.addAll(added);
          return users;
        });
  }

  private void removeClusterIp(FrontendKey wildcard, ObjectKey user, Touched touched) {
    touch(wildcard, touched);
    clusterIpUsers.computeIfPresent(
        wildcard,
        (w, before) -> {
          List<ObjectKey> users = new ArrayList<>(before);
          users.remove(user);
          return users.isEmpty() ? null : users;
        });
  }

  private void withdraw(ObjectKey key, Touched touched) {
    Entry entry = services.remove(key);
    if (entry == null) {
      return;
    }
    rejections.remove(key);
    long created = entry.state.service().createdMillis();
    for (ServiceRow row : entry.compiled.rows()) {
      touched.rows.add(row.key());
      ServiceRow claimed = wanted.remove(row.key());
      if (claimed != null) {
        var claim = new FrontendClaims.Claim(created, row.key());
        claimed.frontends().forEach(f -> claims.remove(f, claim, touched.rows::add));
      }
    }
    entry.compiled.refused().forEach(wildcard -> removeClusterIp(wildcard, key, touched));
    for (FrontendKey wildcard : externals(entry.state.service())) {
      externalUsers.computeIfPresent(
          wildcard,
          (w, users) -> {
            users.remove(key);
            return users.isEmpty() ? null : users;
          });
    }
  }

  private void claim(ObjectKey key, Entry entry, Touched touched) {
    long created = entry.state.service().createdMillis();
    Set<FrontendKey> externals = externals(entry.state.service());
    externals.forEach(w -> externalUsers.computeIfAbsent(w, x -> new HashSet<>()).add(key));
    List<Rejection> rejected = entry.compiled.rejections();
    if (!externals.isEmpty()) {
      rejected = new ArrayList<>(rejected);
    }
    for (ServiceRow row : entry.compiled.rows()) {
      touched.rows.add(row.key());
      ServiceRow allowed = externals.isEmpty() ? row : allowed(row, rejected);
      if (allowed != null) {
        wanted.put(row.key(), allowed);
        var claim = new FrontendClaims.Claim(created, row.key());
        allowed.frontends().forEach(f -> claims.add(f, claim, touched.rows::add));
      }
    }
    if (!rejected.isEmpty()) {
      rejections.put(key, List.copyOf(rejected));
    }
  }

  /** The external addresses of a Service, as wildcards. */
  private static Set<FrontendKey> externals(Service service) {
    if (service.externalIps().isEmpty() && service.loadBalancerIps().isEmpty()) {
      return Set.of();
    }
    Set<FrontendKey> externals = new HashSet<>();
    service.externalIps().forEach(address -> externals.add(FrontendKey.wildcard(address)));
    service.loadBalancerIps().forEach(address -> externals.add(FrontendKey.wildcard(address)));
    return externals;
  }

  /** The row without frontends at cluster IPs of other Services; null if no frontend is left. */
  private @Nullable ServiceRow allowed(ServiceRow row, List<Rejection> rejected) {
    List<FrontendKey> kept = new ArrayList<>(row.frontends().size());
    for (FrontendKey frontend : row.frontends()) {
      List<ObjectKey> users =
          clusterIpUsers.getOrDefault(FrontendKey.wildcard(frontend.address()), List.of());
      if (users.isEmpty() || users.contains(row.key().service())) {
        kept.add(frontend);
      } else {
        ObjectKey owner = Collections.min(users);
        rejected.add(new Rejection.ClusterIpTaken(row.key(), frontend, owner));
      }
    }
    return withFrontends(row, kept);
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
    return withFrontends(row, owned);
  }

  /** The row with some of its frontends; null if there is none. */
  private static @Nullable ServiceRow withFrontends(ServiceRow row, List<FrontendKey> some) {
    if (some.size() == row.frontends().size()) {
      return row;
    }
    return some.isEmpty() ? null : new ServiceRow(row.key(), some, row.backends(), row.settings());
  }
}
