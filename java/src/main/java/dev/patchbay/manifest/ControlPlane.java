// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.manifest.ManifestObject.EndpointsObject;
import dev.patchbay.manifest.ManifestObject.NodeObject;
import dev.patchbay.manifest.ManifestObject.PodObject;
import dev.patchbay.manifest.ManifestObject.ServiceObject;
import dev.patchbay.manifest.ManifestObject.SliceObject;
import dev.patchbay.model.Cidr;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Problem;
import dev.patchbay.model.Problem.Severity;
import dev.patchbay.model.ServiceState;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The embedded control plane: keeps the state of each Service up to date while objects change. What
 * a change costs depends on the Services that it concerns, not on how many there are; only a change
 * of a Service's addresses makes all addresses be decided anew. The result is the same whatever the
 * order of the changes, but for the addresses, which stay with those who had them. Not thread-safe.
 */
final class ControlPlane {
  private final List<Cidr> ranges;
  private final Map<ObjectKey, ServiceObject> services = new HashMap<>();
  private final Map<ObjectKey, TreeMap<ObjectKey, SliceObject>> slices = new HashMap<>();
  private final Map<ObjectKey, SliceObject> unowned = new TreeMap<>();
  private final Map<ObjectKey, EndpointsObject> endpoints = new HashMap<>();
  private final Map<String, PodIndex> pods = new HashMap<>();
  private final SelectorIndex selectors = new SelectorIndex();
  private final Map<ObjectKey, ServiceState> states = new HashMap<>();
  private final Map<ObjectKey, List<Problem>> problems = new HashMap<>();
  private ClusterIpAllocator.Result addresses;

  /**
   * A control plane without objects.
   *
   * @param ranges the service ranges
   * @param remembered the addresses that Services had
   */
  ControlPlane(List<Cidr> ranges, Map<ObjectKey, List<IpAddress>> remembered) {
    this.ranges = ranges;
    this.addresses = new ClusterIpAllocator.Result(Map.of(), remembered, Map.of());
  }

  /** Takes changes and returns the Services whose state differs now, those gone included. */
  Set<ObjectKey> apply(Collection<ObjectTable.Change> changes) {
    Set<ObjectKey> dirty = new HashSet<>();
    boolean addressesDirty = false;
    for (ObjectTable.Change change : changes) {
      addressesDirty |= concernsAddresses(change);
      if (change.before() != null) {
        forget(change.before(), dirty);
      }
      if (change.after() != null) {
        learn(change.after(), dirty);
      }
    }
    if (addressesDirty) {
      allocate(dirty);
    }
    Set<ObjectKey> changed = new HashSet<>();
    for (ObjectKey key : dirty) {
      if (resolve(key)) {
        changed.add(key);
      }
    }
    return changed;
  }

  /** The state of each Service. A view. */
  Map<ObjectKey, ServiceState> states() {
    return Collections.unmodifiableMap(states);
  }

  /** What the control plane has to complain about, in no order. */
  List<Problem> problems() {
    List<Problem> all = new ArrayList<>();
    problems.values().forEach(all::addAll);
    for (SliceObject slice : unowned.values()) {
      all.add(
          note(
              slice,
              "metadata.labels",
              "has no label kubernetes.io/service-name, so it belongs to no Service; ignored"));
    }
    return all;
  }

  /** The addresses to remember over a restart. The same object as long as nothing changed. */
  Map<ObjectKey, List<IpAddress>> remembered() {
    return addresses.remembered();
  }

  private static boolean concernsAddresses(ObjectTable.Change change) {
    if (!(change.before() instanceof ServiceObject before)) {
      return change.after() instanceof ServiceObject;
    }
    return !(change.after() instanceof ServiceObject after)
        || before.wantsAddresses() != after.wantsAddresses()
        || before.createdMillis() != after.createdMillis()
        || !before.families().equals(after.families())
        || !before.addresses().equals(after.addresses());
  }

  private void forget(ManifestObject object, Set<ObjectKey> dirty) {
    switch (object) {
      case ServiceObject service -> {
        services.remove(service.key());
        selectors.remove(service);
        dirty.add(service.key());
      }
      case SliceObject slice -> {
        ObjectKey owner = owner(slice);
        TreeMap<ObjectKey, SliceObject> owned = slices.get(owner);
        if (owned != null) {
          owned.remove(slice.key());
          if (owned.isEmpty()) {
            slices.remove(owner);
          }
        }
        unowned.remove(slice.key());
        dirty.add(owner);
      }
      case EndpointsObject mirrored -> {
        endpoints.remove(mirrored.key());
        dirty.add(mirrored.key());
      }
      case PodObject pod -> {
        PodIndex index = pods.get(pod.key().namespace());
        if (index != null) {
          index.remove(pod);
        }
        selectors.collect(pod, dirty);
      }
      case NodeObject _ -> {}
    }
  }

  private void learn(ManifestObject object, Set<ObjectKey> dirty) {
    switch (object) {
      case ServiceObject service -> {
        services.put(service.key(), service);
        selectors.add(service);
        dirty.add(service.key());
      }
      case SliceObject slice -> {
        if (slice.service().isEmpty()) {
          unowned.put(slice.key(), slice);
        } else {
          slices.computeIfAbsent(owner(slice), _ -> new TreeMap<>()).put(slice.key(), slice);
          dirty.add(owner(slice));
        }
      }
      case EndpointsObject mirrored -> {
        endpoints.put(mirrored.key(), mirrored);
        dirty.add(mirrored.key());
      }
      case PodObject pod -> {
        pods.computeIfAbsent(pod.key().namespace(), _ -> new PodIndex()).add(pod);
        selectors.collect(pod, dirty);
      }
      case NodeObject _ -> {}
    }
  }

  private static ObjectKey owner(SliceObject slice) {
    return new ObjectKey(slice.key().namespace(), slice.service());
  }

  private void allocate(Set<ObjectKey> dirty) {
    List<ServiceObject> wanting = new ArrayList<>(services.size());
    for (ServiceObject service : services.values()) {
      if (service.wantsAddresses()) {
        wanting.add(service);
      }
    }
    ClusterIpAllocator.Result before = addresses;
    ClusterIpAllocator.Result after =
        ClusterIpAllocator.allocate(wanting, before.remembered(), ranges);
    for (ServiceObject service : wanting) {
      ObjectKey key = service.key();
      if (!addressesOf(before, key).equals(addressesOf(after, key))
          || !refusalsOf(before, key).equals(refusalsOf(after, key))) {
        dirty.add(key);
      }
    }
    boolean same = after.remembered().equals(before.remembered());
    addresses =
        new ClusterIpAllocator.Result(
            after.addresses(), same ? before.remembered() : after.remembered(), after.refusals());
  }

  private static List<IpAddress> addressesOf(ClusterIpAllocator.Result result, ObjectKey key) {
    return result.addresses().getOrDefault(key, List.of());
  }

  private static List<ClusterIpAllocator.Refusal> refusalsOf(
      ClusterIpAllocator.Result result, ObjectKey key) {
    return result.refusals().getOrDefault(key, List.of());
  }

  /** Brings one Service up to date; returns whether its state differs. */
  private boolean resolve(ObjectKey key) {
    ServiceObject service = services.get(key);
    if (service == null) {
      selectors.nearMiss(key, false);
      setProblems(key, orphans(key));
      return states.remove(key) != null;
    }
    ServiceResolver.Resolution resolution =
        ServiceResolver.resolve(
            service,
            service.wantsAddresses() ? addressesOf(addresses, key) : List.of(),
            refusalsOf(addresses, key),
            new ServiceResolver.Surroundings(
                slices.getOrDefault(key, new TreeMap<>()).values(),
                endpoints.get(key),
                pods.get(key.namespace())));
    selectors.nearMiss(key, resolution.nearMiss());
    setProblems(key, resolution.problems());
    return !resolution.state().equals(states.put(key, resolution.state()));
  }

  private void setProblems(ObjectKey key, List<Problem> list) {
    if (list.isEmpty()) {
      problems.remove(key);
    } else {
      problems.put(key, list);
    }
  }

  /** Notes about endpoints of a Service that does not exist. */
  private List<Problem> orphans(ObjectKey key) {
    List<Problem> notes = new ArrayList<>(0);
    for (SliceObject slice : slices.getOrDefault(key, new TreeMap<>()).values()) {
      notes.add(
          note(
              slice,
              "metadata.labels[kubernetes.io/service-name]",
              "there is no Service " + key + "; ignored"));
    }
    EndpointsObject mirrored = endpoints.get(key);
    if (mirrored != null) {
      notes.add(note(mirrored, "metadata.name", "there is no Service " + key + "; ignored"));
    }
    return notes;
  }

  private static Problem note(ManifestObject object, String field, String reason) {
    return new Problem(
        Severity.NOTE,
        object.origin().file(),
        object.origin().document(),
        object.id().toString(),
        field,
        reason);
  }

  /** Finds the Services that a Pod may concern. */
  private static final class SelectorIndex {
    private final Map<String, Map<PodIndex.Label, Set<ObjectKey>>> byLabel = new HashMap<>();
    private final Map<String, Set<ObjectKey>> nearMisses = new HashMap<>();

    void add(ServiceObject service) {
      PodIndex.Label label = firstLabel(service);
      if (label != null) {
        byLabel
            .computeIfAbsent(service.key().namespace(), _ -> new HashMap<>())
            .computeIfAbsent(label, _ -> new HashSet<>())
            .add(service.key());
      }
    }

    void remove(ServiceObject service) {
      PodIndex.Label label = firstLabel(service);
      Map<PodIndex.Label, Set<ObjectKey>> labels = byLabel.get(service.key().namespace());
      if (label != null && labels != null) {
        labels.computeIfPresent(
            label, (_, keys) -> keys.remove(service.key()) && keys.isEmpty() ? null : keys);
      }
    }

    void nearMiss(ObjectKey key, boolean is) {
      if (is) {
        nearMisses.computeIfAbsent(key.namespace(), _ -> new HashSet<>()).add(key);
      } else {
        nearMisses.computeIfPresent(
            key.namespace(), (_, keys) -> keys.remove(key) && keys.isEmpty() ? null : keys);
      }
    }

    void collect(PodObject pod, Set<ObjectKey> into) {
      String namespace = pod.key().namespace();
      Map<PodIndex.Label, Set<ObjectKey>> labels = byLabel.getOrDefault(namespace, Map.of());
      pod.labels()
          .forEach(
              (key, value) ->
                  into.addAll(labels.getOrDefault(new PodIndex.Label(key, value), Set.of())));
      into.addAll(nearMisses.getOrDefault(namespace, Set.of()));
    }

    /** One label that every Pod of the Service has: the least, so that it is always the same. */
    private static PodIndex.@Nullable Label firstLabel(ServiceObject service) {
      String first = null;
      for (String key : service.selector().keySet()) {
        first = first == null || key.compareTo(first) < 0 ? key : first;
      }
      return first == null
          ? null
          : new PodIndex.Label(first, service.selector().getOrDefault(first, ""));
    }
  }
}
