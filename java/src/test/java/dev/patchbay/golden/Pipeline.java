// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.golden;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.compile.Compiler;
import dev.patchbay.inspect.Canonical;
import dev.patchbay.inspect.Invariants;
import dev.patchbay.manifest.Loaded;
import dev.patchbay.model.ClusterSnapshot;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.NodeInfo;
import dev.patchbay.model.ServiceState;
import dev.patchbay.reconcile.ApplyReport;
import dev.patchbay.reconcile.Reconciler;
import dev.patchbay.reconcile.StoreException;
import dev.patchbay.table.Capacity;
import dev.patchbay.table.DesiredState;
import dev.patchbay.testkit.FakeDataplaneStore;
import dev.patchbay.testkit.FaultyDataplaneStore;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;

/**
 * From what the source says to what the maps hold, over a store that fails at random. Checks after
 * each apply, failed or not, that the maps make sense, and after each change that they mean what is
 * wanted, however it came about.
 */
final class Pipeline {
  private static final String NODE = "node-1";
  private static final Capacity CAPACITY = new Capacity(256, 64, 512);
  private static final int ATTEMPTS = 1000;

  private final FakeDataplaneStore maps = new FakeDataplaneStore(CAPACITY);
  private final FaultyDataplaneStore store;
  private final Compiler compiler = new Compiler(NodeFacts.named(NODE));
  private final Reconciler reconciler;
  private ClusterSnapshot cluster = ClusterSnapshot.EMPTY;
  private NodeFacts node = NodeFacts.named(NODE);

  Pipeline(long seed) {
    store = new FaultyDataplaneStore(maps, seed);
    reconciler = Reconciler.adopt(store, maps.load());
  }

  /** What was loaded first is all there is. */
  void start(Loaded first) {
    trying(() -> begin(first));
  }

  void change(Loaded loaded) {
    trying(() -> advance(loaded));
  }

  private void trying(Runnable step) {
    try {
      step.run();
    } catch (RuntimeException | AssertionError e) {
      throw new AssertionError(store.toString(), e);
    }
  }

  private void begin(Loaded first) {
    cluster = ClusterSnapshot.EMPTY.with(first.update());
    node = node(first.update().nodes());
    compiler.updateNode(node);
    compiler.update(cluster.services().values(), Set.of());
    reconciler.replaceAll(compiler.desired());
    settle();
  }

  private void advance(Loaded loaded) {
    cluster = cluster.with(loaded.update());
    node = node(loaded.update().nodes());
    reconciler.change(compiler.updateNode(node));
    reconciler.change(compiler.update(loaded.update().upserted(), loaded.update().removed()));
    settle();
  }

  /** What the Nodes say, without this machine's own addresses. */
  private static NodeFacts node(List<NodeInfo> nodes) {
    String zone = "";
    List<IpAddress> addresses = new ArrayList<>();
    for (NodeInfo info : nodes) {
      zone = info.name().equals(NODE) ? info.zone() : zone;
      addresses.addAll(info.addresses());
    }
    return new NodeFacts(NODE, zone, addresses);
  }

  /** What holds now, for people. */
  String outcome() {
    return new Outcome(cluster, compiler, reconciler, Canonical.of(maps.load())).toString();
  }

  /** Checks that nothing is left when nothing is wanted. */
  void checkEmpty() {
    assertThat(cluster.services()).as("Services left").isEmpty();
    assertThat(maps.load().frontends()).as("entries of frontends left").isEmpty();
    assertThat(reconciler.indexes()).as("entries of services still in use").isEmpty();
    assertThat(reconciler.quarantineMark()).as("entries that wait for readers").isEmpty();
  }

  /** How many calls the store has refused. */
  long faults() {
    return store.faults();
  }

  private void settle() {
    int attempts = 0;
    do {
      assertThat(++attempts).as("attempts to apply").isLessThan(ATTEMPTS);
      ApplyReport report = reconciler.apply();
      assertThat(Invariants.check(maps.load())).as("invariants after %s", report).isEmpty();
      reclaim();
    } while (reconciler.hasWork() || reconciler.quarantineMark().isPresent());
    assertThat(reconciler.plan().operations()).as("a further plan").isEmpty();
    DesiredState desired = compiler.desired();
    assertThat(desired).as("compiled step by step").isEqualTo(compiledAtOnce());
    assertThat(Canonical.of(desired).difference(Canonical.of(maps.load()))).isEmpty();
  }

  /** The agent has a thread for this. */
  private void reclaim() {
    OptionalLong mark = reconciler.quarantineMark();
    if (mark.isEmpty()) {
      return;
    }
    try {
      store.awaitReaders();
      reconciler.reclaimed(mark.getAsLong());
    } catch (StoreException _) {
      return; // again after the next apply
    }
  }

  /** The same Services, told one by one and the last first to somebody who knows nothing. */
  private DesiredState compiledAtOnce() {
    Compiler fresh = new Compiler(node);
    cluster.services().values().stream()
        .sorted(Comparator.comparing(ServiceState::key).reversed())
        .forEach(state -> fresh.update(List.of(state), Set.of()));
    assertThat(compiler.rejections()).isEqualTo(fresh.rejections());
    return fresh.desired();
  }
}
