// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.manifest.ManifestObject.EndpointsObject;
import dev.patchbay.manifest.ManifestObject.NodeObject;
import dev.patchbay.manifest.ManifestObject.PodObject;
import dev.patchbay.manifest.ManifestObject.ServiceObject;
import dev.patchbay.manifest.ManifestObject.SliceObject;
import dev.patchbay.model.Cidr;
import dev.patchbay.model.EndpointSlice;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.NodeInfo;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Problem;
import dev.patchbay.model.Problem.Severity;
import dev.patchbay.model.ServiceState;
import dev.patchbay.model.SourceChanges;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The embedded control plane: keeps the state of each Service up to date while objects change. What
 * a change costs depends on the Services that it concerns, not on how many there are; only a change
 * of a Service's addresses makes all addresses be decided anew, and one of its node ports all node
 * ports. The result is the same whatever the order of the changes, but for addresses and node
 * ports, which stay with those who had them. Not thread-safe.
 */
final class ControlPlane {
  private final List<Cidr> ranges;
  private final PortRange portRange;
  private final Map<ObjectKey, ServiceObject> services = new HashMap<>();
  private final Map<ObjectKey, TreeMap<ObjectKey, SliceObject>> slices = new HashMap<>();
  private final Map<ObjectKey, SliceObject> unowned = new TreeMap<>();
  private final Map<ObjectKey, EndpointsObject> endpoints = new HashMap<>();
  private final Map<String, PodIndex> pods = new HashMap<>();
  private final TreeMap<String, NodeObject> nodes = new TreeMap<>();

  /** The zone of each Node that has one. */
  private final Map<String, String> zones = new HashMap<>();

  /** The Services whose endpoints' hints depend on zones. */
  private final Set<ObjectKey> zoned = new HashSet<>();

  private final SelectorIndex selectors = new SelectorIndex();
  private final Map<ObjectKey, ServiceState> states = new HashMap<>();
  private final Map<ObjectKey, List<Problem>> problems = new HashMap<>();
  private ClusterIpAllocator.Result addresses;
  private NodePortAllocator.Result nodePorts;
  private Assignments remembered;
  private List<NodeInfo> nodeInfos = List.of();
  private long problemChanges;

  /** Services whose state differs since that was taken last: for what reason. */
  private int serviceChanges;

  private int endpointChanges;

  /**
   * A control plane without objects.
   *
   * @param ranges the service ranges
   * @param portRange the range of node ports
   * @param remembered what Services had
   */
  ControlPlane(List<Cidr> ranges, PortRange portRange, Assignments remembered) {
    this.ranges = ranges;
    this.portRange = portRange;
    this.addresses = new ClusterIpAllocator.Result(Map.of(), remembered.clusterIps(), Map.of());
    this.nodePorts = new NodePortAllocator.Result(Map.of(), remembered.nodePorts(), Map.of());
    this.remembered = remembered;
  }

  /** Takes changes and returns the Services whose state differs now, those gone included. */
  Set<ObjectKey> apply(Collection<ObjectTable.Change> changes) {
    Set<ObjectKey> dirty = new HashSet<>();
    boolean addressesDirty = false;
    boolean nodePortsDirty = false;
    boolean nodesDirty = false;
    for (ObjectTable.Change change : changes) {
      addressesDirty |= concernsAddresses(change);
      nodePortsDirty |= concernsNodePorts(change);
      nodesDirty |= change.before() instanceof NodeObject || change.after() instanceof NodeObject;
      if (change.before() != null) {
        forget(change.before(), dirty);
      }
      if (change.after() != null) {
        learn(change.after(), dirty);
      }
    }
    if (addressesDirty) {
      allocateAddresses(dirty);
    }
    if (nodePortsDirty) {
      allocateNodePorts(dirty);
    }
    if (nodesDirty) {
      followNodes(dirty);
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

  /**
   * How much has changed since this was called last: the Services that differ by themselves, and
   * those whose endpoints do.
   */
  SourceChanges takeChanges() {
    SourceChanges changes = new SourceChanges(serviceChanges, endpointChanges, List.of());
    serviceChanges = 0;
    endpointChanges = 0;
    return changes;
  }

  /** A number that is another one whenever {@link #problems()} may be. */
  long problemChanges() {
    return problemChanges;
  }

  /** All Nodes, ordered by name. The same object as long as nothing changed. */
  List<NodeInfo> nodes() {
    return nodeInfos;
  }

  /** What is to be remembered over a restart. The same object as long as nothing changed. */
  Assignments remembered() {
    return remembered;
  }

  private static boolean concernsAddresses(ObjectTable.Change change) {
    if (!(change.before() instanceof ServiceObject before)) {
      return change.after() instanceof ServiceObject;
    }
    return !(change.after() instanceof ServiceObject after)
        || before.wantsAddresses() != after.wantsAddresses()
        || before.written().createdMillis() != after.written().createdMillis()
        || !before.families().equals(after.families())
        || !before.addresses().equals(after.addresses());
  }

  private static boolean concernsNodePorts(ObjectTable.Change change) {
    ServiceObject before = withNodePorts(change.before());
    ServiceObject after = withNodePorts(change.after());
    if (before == null || after == null) {
      return before != null || after != null;
    }
    return before.opensNodePorts() != after.opensNodePorts()
        || before.wantsHealthCheck() != after.wantsHealthCheck()
        || before.written().healthCheckNodePort() != after.written().healthCheckNodePort()
        || before.written().createdMillis() != after.written().createdMillis()
        || !before.written().ports().equals(after.written().ports());
  }

  private static @Nullable ServiceObject withNodePorts(@Nullable ManifestObject object) {
    return object instanceof ServiceObject service && service.wantsNodePorts() ? service : null;
  }

  private void forget(ManifestObject object, Set<ObjectKey> dirty) {
    switch (object) {
      case ServiceObject service -> {
        services.remove(service.key());
        zoned.remove(service.key());
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
        if (unowned.remove(slice.key()) != null) {
          problemChanges++;
        }
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
      case NodeObject node -> nodes.remove(node.info().name());
    }
  }

  private void learn(ManifestObject object, Set<ObjectKey> dirty) {
    switch (object) {
      case ServiceObject service -> {
        services.put(service.key(), service);
        if (!service.distribution().isEmpty()) {
          zoned.add(service.key());
        }
        selectors.add(service);
        dirty.add(service.key());
      }
      case SliceObject slice -> {
        if (slice.service().isEmpty()) {
          unowned.put(slice.key(), slice);
          problemChanges++;
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
      case NodeObject node -> nodes.put(node.info().name(), node);
    }
  }

  private static ObjectKey owner(SliceObject slice) {
    return new ObjectKey(slice.key().namespace(), slice.service());
  }

  /** Takes a change of Nodes to the Services that depend on zones. */
  private void followNodes(Set<ObjectKey> dirty) {
    List<NodeInfo> infos = new ArrayList<>(nodes.size());
    Map<String, String> now = new HashMap<>();
    for (NodeObject node : nodes.values()) {
      infos.add(node.info());
      if (!node.info().zone().isEmpty()) {
        now.put(node.info().name(), node.info().zone());
      }
    }
    if (!infos.equals(nodeInfos)) {
      nodeInfos = Collections.unmodifiableList(infos);
    }
    if (!now.equals(zones)) {
      zones.clear();
      zones.putAll(now);
      dirty.addAll(zoned);
    }
  }

  private void allocateAddresses(Set<ObjectKey> dirty) {
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
    addresses = after;
    remember(after.remembered(), remembered.nodePorts());
  }

  private void allocateNodePorts(Set<ObjectKey> dirty) {
    List<ServiceObject> wanting = new ArrayList<>();
    for (ServiceObject service : services.values()) {
      if (service.wantsNodePorts()) {
        wanting.add(service);
      }
    }
    NodePortAllocator.Result before = nodePorts;
    NodePortAllocator.Result after =
        NodePortAllocator.allocate(wanting, before.remembered(), portRange);
    for (ServiceObject service : wanting) {
      ObjectKey key = service.key();
      if (!portsOf(before, key).equals(portsOf(after, key))
          || !refusalsOf(before, key).equals(refusalsOf(after, key))) {
        dirty.add(key);
      }
    }
    nodePorts = after;
    remember(remembered.clusterIps(), after.remembered());
  }

  private void remember(
      Map<ObjectKey, List<IpAddress>> clusterIps, Map<ObjectKey, NodePorts> ports) {
    if (!clusterIps.equals(remembered.clusterIps()) || !ports.equals(remembered.nodePorts())) {
      remembered = new Assignments(clusterIps, ports);
    }
  }

  private static List<IpAddress> addressesOf(ClusterIpAllocator.Result result, ObjectKey key) {
    return result.addresses().getOrDefault(key, List.of());
  }

  private static List<ClusterIpAllocator.Refusal> refusalsOf(
      ClusterIpAllocator.Result result, ObjectKey key) {
    return result.refusals().getOrDefault(key, List.of());
  }

  private static NodePorts portsOf(NodePortAllocator.Result result, ObjectKey key) {
    return result.ports().getOrDefault(key, NodePorts.NONE);
  }

  private static List<NodePortAllocator.Refusal> refusalsOf(
      NodePortAllocator.Result result, ObjectKey key) {
    return result.refusals().getOrDefault(key, List.of());
  }

  /** Brings one Service up to date; returns whether its state differs. */
  private boolean resolve(ObjectKey key) {
    ServiceObject service = services.get(key);
    if (service == null) {
      selectors.nearMiss(key, false);
      setProblems(key, orphans(key));
      return count(states.remove(key), null);
    }
    ServiceResolver.Resolution resolution =
        ServiceResolver.resolve(
            service,
            new ServiceResolver.Given(
                service.wantsAddresses() ? addressesOf(addresses, key) : List.of(),
                service.wantsAddresses() ? refusalsOf(addresses, key) : List.of(),
                service.wantsNodePorts() ? portsOf(nodePorts, key) : NodePorts.NONE,
                service.wantsNodePorts() ? refusalsOf(nodePorts, key) : List.of()),
            new ServiceResolver.Surroundings(
                slices.getOrDefault(key, new TreeMap<>()).values(),
                endpoints.get(key),
                pods.get(key.namespace()),
                zones));
    selectors.nearMiss(key, resolution.nearMiss());
    setProblems(key, resolution.problems());
    return count(states.put(key, resolution.state()), resolution.state());
  }

  /** Counts in what two states of a Service differ; returns whether they do. */
  private boolean count(@Nullable ServiceState before, @Nullable ServiceState after) {
    if (Objects.equals(before, after)) {
      return false;
    }
    if (before == null || after == null || !before.service().equals(after.service())) {
      serviceChanges++;
    }
    if (!slicesOf(before).equals(slicesOf(after))) {
      endpointChanges++;
    }
    return true;
  }

  private static List<EndpointSlice> slicesOf(@Nullable ServiceState state) {
    return state == null ? List.of() : state.slices();
  }

  private void setProblems(ObjectKey key, List<Problem> list) {
    List<Problem> before = list.isEmpty() ? problems.remove(key) : problems.put(key, list);
    if (!list.equals(before == null ? List.of() : before)) {
      problemChanges++;
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
      for (String key : service.written().selector().keySet()) {
        first = first == null || key.compareTo(first) < 0 ? key : first;
      }
      return first == null
          ? null
          : new PodIndex.Label(first, service.written().selector().getOrDefault(first, ""));
    }
  }
}
