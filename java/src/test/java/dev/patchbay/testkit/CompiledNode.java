// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.compile.Compiler;
import dev.patchbay.inspect.Canonical;
import dev.patchbay.inspect.Invariants;
import dev.patchbay.inspect.Tracer;
import dev.patchbay.inspect.Verdict;
import dev.patchbay.model.NodeFacts;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Protocol;
import dev.patchbay.model.ServiceState;
import dev.patchbay.reconcile.Reconciler;
import dev.patchbay.reconcile.StoreException;
import dev.patchbay.table.Backend;
import dev.patchbay.table.Capacity;
import dev.patchbay.table.DesiredChange;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.ObservedState;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Collectors;

/**
 * A node whose Services are compiled step by step and applied to maps in memory, and what becomes
 * of sockets on it that connect. Not thread-safe.
 */
public final class CompiledNode {
  private final Compiler compiler;
  private final FakeDataplaneStore maps = new FakeDataplaneStore(new Capacity(512, 128, 1024));
  private final Reconciler reconciler = Reconciler.adopt(maps, maps.load());

  public CompiledNode(NodeFacts node) {
    compiler = new Compiler(node);
    reconciler.replaceAll(compiler.desired());
    settle();
  }

  public CompiledNode add(ServiceBuilder... services) {
    update(Arrays.stream(services).map(ServiceBuilder::build).toList(), List.of());
    return this;
  }

  public CompiledNode remove(String namespace, String name) {
    update(List.of(), List.of(new ObjectKey(namespace, name)));
    return this;
  }

  public DesiredChange update(Collection<ServiceState> upserted, Collection<ObjectKey> removed) {
    DesiredChange change = compiler.update(upserted, removed);
    reconciler.change(change);
    settle();
    return change;
  }

  public DesiredChange updateNode(NodeFacts node) {
    DesiredChange change = compiler.updateNode(node);
    reconciler.change(change);
    settle();
    return change;
  }

  /** What the maps hold. */
  public ObservedState observed() {
    return maps.load();
  }

  public Compiler compiler() {
    return compiler;
  }

  public List<String> rejections() {
    return compiler.rejections().stream().map(r -> r.who() + ": " + r.sentence()).toList();
  }

  private void settle() {
    do {
      assertThat(reconciler.apply().succeeded()).isTrue();
      OptionalLong mark = reconciler.quarantineMark();
      if (mark.isPresent()) {
        try {
          maps.awaitReaders();
        } catch (StoreException e) {
          throw new AssertionError(e);
        }
        reconciler.reclaimed(mark.getAsLong());
      }
    } while (reconciler.hasWork());
    assertThat(Invariants.check(maps.load())).isEmpty();
    assertThat(Canonical.of(compiler.desired()).difference(Canonical.of(maps.load()))).isEmpty();
  }

  /** What becomes of a TCP connection, see {@link #connect(String, Protocol)}. */
  public String connect(String destination) {
    return connect(destination, Protocol.TCP);
  }

  /**
   * What becomes of a socket on the node, in its own namespace or in a Pod's.
   *
   * @param destination {@code ADDRESS:PORT}, IPv6 in brackets
   * @return the backends, separated by {@code ", "}; the name of the error; or {@code untouched}
   */
  public String connect(String destination, Protocol protocol) {
    FrontendKey to = Rows.frontend(destination);
    return switch (new Tracer(maps.load()).trace(to.address(), to.port(), protocol)) {
      case Verdict.NotAService _ -> "untouched";
      case Verdict.Refused(String errno, String reason) -> errno;
      case Verdict.Candidates candidates ->
          candidates.backends().stream().map(Backend::toString).collect(Collectors.joining(", "));
    };
  }
}
