// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import dev.patchbay.kube.KubeObject.NodeObject;
import dev.patchbay.kube.KubeObject.ServiceObject;
import dev.patchbay.kube.KubeObject.SliceObject;
import dev.patchbay.model.EndpointSlice;
import dev.patchbay.model.NodeInfo;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Problem;
import dev.patchbay.model.Problem.Severity;
import dev.patchbay.model.Service;
import dev.patchbay.model.ServiceState;
import dev.patchbay.model.ServiceType;
import dev.patchbay.model.SourceChanges;
import dev.patchbay.model.SourceChanges.Trigger;
import dev.patchbay.model.SourceUpdate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * All objects that are known, and which Services differ from what was told.
 *
 * <p>Those who read from the API server put objects in and mark Services; somebody else takes what
 * is marked. A burst of events for one Service is one mark, so nothing can overflow. The work for a
 * change is in proportion to the Service it belongs to.
 *
 * <p>Thread-safe: one lock, which is held for moments only.
 */
final class ClusterState {
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  private final Map<ObjectKey, Entry> services = new HashMap<>();
  private final Map<ObjectKey, SliceObject> slices = new HashMap<>();
  private final TreeMap<ObjectKey, NodeObject> nodes = new TreeMap<>();
  private final Set<ObjectKey> dirty = new HashSet<>();
  private int serviceCount;

  /** How many of the three kinds were listed completely. */
  private int listed;

  private boolean nodesDirty;
  private List<NodeInfo> nodesTold = List.of();

  /** Slices without a Service to blame, that have something to complain about. */
  private final Map<ObjectKey, List<Problem>> strays = new HashMap<>();

  private boolean problemsDirty;
  private List<Problem> problemsTold = List.of();

  /** Causes before this are not ours to answer for: nobody was here to act upon them. */
  private final long startMillis = System.currentTimeMillis();

  /** Changes since something was taken last. */
  private int serviceChanges;

  private int sliceChanges;
  private final Map<ObjectKey, List<Trigger>> triggers = new HashMap<>();

  /** A Service, or the place of one that slices were seen for. */
  private static final class Entry {
    @Nullable ServiceObject service;

    /** Sorted by key; most Services have one. */
    List<SliceObject> slices = List.of();

    /** Whether listeners know the Service. */
    boolean told;

    List<Problem> problems = List.of();
  }

  /** The three kinds of objects, each with a thread that reads it. */
  final ListWatch.Store serviceStore =
      new KindStore() {
        @Override
        Collection<? extends KubeObject> known() {
          List<KubeObject> all = new ArrayList<>(serviceCount);
          for (Entry entry : services.values()) {
            if (entry.service != null) {
              all.add(entry.service);
            }
          }
          return all;
        }

        @Override
        void store(KubeObject object) {
          putService((ServiceObject) object);
        }

        @Override
        void forget(ObjectKey key) {
          removeService(key);
        }

        @Override
        int count() {
          return serviceCount;
        }
      };

  final ListWatch.Store sliceStore =
      new KindStore() {
        @Override
        Collection<? extends KubeObject> known() {
          return new ArrayList<>(slices.values());
        }

        @Override
        void store(KubeObject object) {
          putSlice((SliceObject) object);
        }

        @Override
        void forget(ObjectKey key) {
          removeSlice(key);
        }

        @Override
        int count() {
          return slices.size();
        }
      };

  final ListWatch.Store nodeStore =
      new KindStore() {
        @Override
        Collection<? extends KubeObject> known() {
          return new ArrayList<>(nodes.values());
        }

        @Override
        void store(KubeObject object) {
          putNode((NodeObject) object);
        }

        @Override
        void forget(ObjectKey key) {
          removeNode(key);
        }

        @Override
        int count() {
          return nodes.size();
        }
      };

  /** What is the same for all kinds: the lock, and how a list becomes a difference. */
  private abstract class KindStore implements ListWatch.Store {
    private boolean complete;

    abstract Collection<? extends KubeObject> known();

    abstract void store(KubeObject object);

    abstract void forget(ObjectKey key);

    abstract int count();

    @Override
    public void replace(List<KubeObject> all) {
      lock.lock();
      try {
        Set<ObjectKey> gone = new HashSet<>();
        for (KubeObject object : known()) {
          gone.add(object.key());
        }
        for (KubeObject object : all) {
          gone.remove(object.key());
          store(object);
        }
        gone.forEach(this::forget);
        if (!complete) {
          complete = true;
          listed++;
        }
        changed.signalAll();
      } finally {
        lock.unlock();
      }
    }

    @Override
    public void put(KubeObject object) {
      lock.lock();
      try {
        store(object);
        changed.signalAll();
      } finally {
        lock.unlock();
      }
    }

    @Override
    public void remove(KubeObject object) {
      lock.lock();
      try {
        forget(object.key());
        changed.signalAll();
      } finally {
        lock.unlock();
      }
    }

    @Override
    public int size() {
      lock.lock();
      try {
        return count();
      } finally {
        lock.unlock();
      }
    }
  }

  /**
   * Waits until something differs from what was told, and takes all of it.
   *
   * @return null if {@code closed} says that nobody wants it any more
   */
  @Nullable SourceUpdate await(BooleanSupplier closed) throws InterruptedException {
    lock.lock();
    try {
      while (dirty.isEmpty() && !nodesDirty && !problemsDirty) {
        if (closed.getAsBoolean()) {
          return null;
        }
        changed.await();
      }
      return closed.getAsBoolean() ? null : take();
    } finally {
      lock.unlock();
    }
  }

  /** Waits until each kind was listed completely, or {@code closed} says that it is over. */
  void awaitLists(BooleanSupplier closed) throws InterruptedException {
    lock.lock();
    try {
      while (listed < 3 && !closed.getAsBoolean()) {
        changed.await();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Wakes those who {@link #await}, so that they look whether it is over. */
  void wake() {
    lock.lock();
    try {
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Takes what differs from what was told; nothing may. */
  SourceUpdate takeNow() {
    lock.lock();
    try {
      return take();
    } finally {
      lock.unlock();
    }
  }

  /** {@code metadata.uid} of a Service; empty if it is not known. */
  String uid(ObjectKey key) {
    lock.lock();
    try {
      Entry entry = services.get(key);
      return entry == null || entry.service == null ? "" : entry.service.uid();
    } finally {
      lock.unlock();
    }
  }

  private SourceUpdate take() {
    List<ServiceState> upserted = new ArrayList<>(dirty.size());
    List<ObjectKey> removed = new ArrayList<>();
    for (ObjectKey key : dirty) {
      Entry entry = services.get(key);
      if (entry == null) {
        continue;
      }
      ServiceObject service = entry.service;
      if (service != null) {
        List<EndpointSlice> all = new ArrayList<>(entry.slices.size());
        for (SliceObject slice : entry.slices) {
          if (slice.slice() != null) {
            all.add(slice.slice());
          }
        }
        upserted.add(new ServiceState(service.service(), all, List.of()));
        entry.told = true;
      } else {
        if (entry.told) {
          removed.add(key);
          entry.told = false;
        }
        if (entry.slices.isEmpty()) {
          services.remove(key);
        }
      }
      List<Problem> problems = problems(key, entry);
      if (!problems.equals(entry.problems)) {
        entry.problems = problems;
        problemsDirty = true;
      }
    }
    dirty.clear();
    if (nodesDirty) {
      nodesTold = List.copyOf(nodes.values().stream().map(NodeObject::node).toList());
      nodesDirty = false;
    }
    if (problemsDirty) {
      problemsTold = allProblems();
      problemsDirty = false;
    }
    return new SourceUpdate(upserted, removed, problemsTold, nodesTold, takeChanges());
  }

  private SourceChanges takeChanges() {
    List<Trigger> causes = new ArrayList<>();
    triggers.values().forEach(causes::addAll);
    SourceChanges changes = new SourceChanges(serviceChanges, sliceChanges, causes);
    serviceChanges = 0;
    sliceChanges = 0;
    triggers.clear();
    return changes;
  }

  private static List<Problem> problems(ObjectKey key, Entry entry) {
    List<Problem> problems = List.of();
    ServiceObject service = entry.service;
    if (service != null && !service.findings().isEmpty()) {
      problems = new ArrayList<>();
      for (Finding finding : service.findings()) {
        problems.add(finding.of("Service " + key, ""));
      }
    }
    if (service != null
        && (service.service().headless()
            || service.service().type() == ServiceType.EXTERNAL_NAME)) {
      return problems; // its slices are for others, such as DNS
    }
    for (SliceObject slice : entry.slices) {
      for (Finding finding : findings(slice, service)) {
        if (problems.isEmpty()) {
          problems = new ArrayList<>();
        }
        problems.add(
            service == null
                ? finding.of("EndpointSlice " + slice.key(), "")
                : finding.of(
                    "Service " + key,
                    "EndpointSlice "
                        + slice.key().name()
                        + (finding.field().isEmpty() ? "" : ": ")));
      }
    }
    return problems;
  }

  /** What is odd about a slice by itself, and beside its Service. */
  private static List<Finding> findings(SliceObject slice, @Nullable ServiceObject service) {
    if (service == null || !hasNamelessPortForNobody(slice.slice(), service.service())) {
      return slice.findings();
    }
    List<Finding> all = new ArrayList<>(slice.findings());
    all.add(
        new Finding(
            Severity.WARNING,
            "ports",
            "has a port without a name, but every port of the Service has one, so nothing leads to"
                + " it"));
    return all;
  }

  /** A name that was forgotten; other names that do not fit occur whenever a port is renamed. */
  private static boolean hasNamelessPortForNobody(@Nullable EndpointSlice slice, Service service) {
    return slice != null
        && !slice.endpoints().isEmpty()
        && !service.ports().isEmpty()
        && slice.ports().stream().anyMatch(port -> port.name().isEmpty())
        && service.ports().stream().noneMatch(port -> port.name().isEmpty());
  }

  private List<Problem> allProblems() {
    List<Problem> all = new ArrayList<>();
    for (Entry entry : services.values()) {
      all.addAll(entry.problems);
    }
    strays.values().forEach(all::addAll);
    for (NodeObject node : nodes.values()) {
      for (Finding finding : node.findings()) {
        all.add(finding.of("Node " + node.key().name(), ""));
      }
    }
    all.sort(null);
    return List.copyOf(all);
  }

  private void putService(ServiceObject object) {
    Entry entry = services.computeIfAbsent(object.key(), _ -> new Entry());
    ServiceObject before = entry.service;
    if (before == null) {
      serviceCount++;
    } else if (before.saysTheSame(object)) {
      return; // only what nobody here needs has changed, its labels for example
    }
    entry.service = object;
    serviceChanges++;
    dirty.add(object.key());
  }

  private void removeService(ObjectKey key) {
    Entry entry = services.get(key);
    if (entry != null && entry.service != null) {
      entry.service = null;
      serviceCount--;
      serviceChanges++;
      dirty.add(key);
    }
  }

  private void putSlice(SliceObject object) {
    SliceObject before = slices.get(object.key());
    if (before != null && before.saysTheSame(object)) {
      return;
    }
    slices.put(object.key(), object);
    if (before != null && !Objects.equals(before.service(), object.service())) {
      detach(before);
    }
    ObjectKey service = object.service();
    if (service == null) {
      strays.put(object.key(), stray(object));
      problemsDirty = true;
      return;
    }
    if (strays.remove(object.key()) != null) {
      problemsDirty = true;
    }
    Entry entry = services.computeIfAbsent(service, _ -> new Entry());
    List<SliceObject> others = new ArrayList<>(entry.slices.size() + 1);
    for (SliceObject slice : entry.slices) {
      if (!slice.key().equals(object.key())) {
        others.add(slice);
      }
    }
    others.add(object);
    if (others.size() > 1) {
      others.sort(Comparator.comparing(SliceObject::key));
    }
    entry.slices = others;
    sliceChanges++;
    remember(object, service);
    dirty.add(service);
  }

  /** Notes what caused a change, as kube-proxy's {@code EndpointsChangeTracker} does. */
  private void remember(SliceObject object, ObjectKey service) {
    EndpointSlice slice = object.slice();
    long millis = object.triggerMillis();
    if (slice != null && millis > startMillis && millis != Long.MAX_VALUE) {
      triggers
          .computeIfAbsent(service, _ -> new ArrayList<>(1))
          .add(new Trigger(slice.family(), millis));
    }
  }

  private void removeSlice(ObjectKey key) {
    SliceObject before = slices.remove(key);
    if (before == null) {
      return;
    }
    detach(before);
    if (before.service() != null) {
      sliceChanges++;
      triggers.remove(before.service()); // the time in a slice that goes is that of an older change
    }
    if (strays.remove(key) != null) {
      problemsDirty = true;
    }
  }

  private void detach(SliceObject slice) {
    ObjectKey service = slice.service();
    Entry entry = service == null ? null : services.get(service);
    if (service != null && entry != null) {
      entry.slices =
          entry.slices.stream().filter(other -> !other.key().equals(slice.key())).toList();
      dirty.add(service);
    }
  }

  private static List<Problem> stray(SliceObject slice) {
    return slice.findings().stream()
        .map(finding -> finding.of("EndpointSlice " + slice.key(), ""))
        .toList();
  }

  private void putNode(NodeObject object) {
    NodeObject before = nodes.get(object.key());
    if (before != null && before.saysTheSame(object)) {
      return; // a heartbeat
    }
    nodes.put(object.key(), object);
    nodesDirty = true;
    problemsDirty |= hasFindings(object) || hasFindings(before);
  }

  private static boolean hasFindings(@Nullable NodeObject node) {
    return node != null && !node.findings().isEmpty();
  }

  private void removeNode(ObjectKey key) {
    NodeObject before = nodes.remove(key);
    if (before != null) {
      nodesDirty = true;
      problemsDirty |= hasFindings(before);
    }
  }
}
