// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import dev.patchbay.kernel.Dataplane;
import dev.patchbay.kernel.KernelException;
import dev.patchbay.model.ClusterSnapshot;
import dev.patchbay.model.Endpoint;
import dev.patchbay.model.EndpointPort;
import dev.patchbay.model.EndpointSlice;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.ServicePort;
import dev.patchbay.model.ServicePortKey;
import dev.patchbay.model.ServiceState;
import dev.patchbay.model.TrafficPolicy;
import dev.patchbay.observe.BackendStatsKey;
import dev.patchbay.table.Backend;
import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Forgets what was counted for Service ports and backends that are gone, or the maps would fill up
 * with them. On a thread of its own, seldom, and only what was gone the last time as well: sockets
 * outlive their Service by a while, and what they count on closing belongs to it.
 */
final class StatsSweeper implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(StatsSweeper.class);
  private static final long PAUSE_MILLIS = TimeUnit.MINUTES.toMillis(5);

  /** Those that were gone when this was last asked. */
  static final class Gone<K> {
    private Set<K> last = Set.of();

    /** Those that are gone now, and were. */
    Set<K> still(Collection<K> present, Set<K> known) {
      Set<K> now = new HashSet<>(present);
      now.removeAll(known);
      Set<K> still = new HashSet<>(now);
      still.retainAll(last);
      now.removeAll(still);
      last = now;
      return still;
    }
  }

  private final Dataplane dataplane;
  private final Supplier<ClusterSnapshot> cluster;
  private final Gone<Long> services = new Gone<>();
  private final Gone<BackendStatsKey> backends = new Gone<>();
  private final Thread thread;
  private boolean closed;

  /**
   * Begins.
   *
   * @param dataplane must stay open until this is closed
   * @param cluster all that there is; called on the thread of this object
   */
  StatsSweeper(Dataplane dataplane, Supplier<ClusterSnapshot> cluster) {
    this.dataplane = dataplane;
    this.cluster = cluster;
    thread = Thread.ofPlatform().name("patchbay-statistics").daemon().start(this::loop);
  }

  private void loop() {
    try {
      while (rest()) {
        sweep();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Whether there is a next time. */
  private synchronized boolean rest() throws InterruptedException {
    Workers.rest(this, TimeUnit.MILLISECONDS.toNanos(PAUSE_MILLIS), () -> closed);
    return !closed;
  }

  private void sweep() {
    Collection<ServiceState> states = cluster.get().services().values();
    try {
      Set<Long> counted = new HashSet<>();
      dataplane.serviceStats((id, _) -> counted.add(id));
      dataplane.forgetServiceStats(services.still(counted, ids(states)));
      Set<BackendStatsKey> perBackend = new HashSet<>();
      dataplane.backendStats((key, _) -> perBackend.add(key));
      dataplane.forgetBackendStats(backends.still(perBackend, backends(states)));
    } catch (KernelException e) {
      log.atWarn()
          .addKeyValue("error", e.getMessage())
          .log("what was counted for Services that are gone cannot be forgotten now");
    }
  }

  /** The ids of all Service ports that there may be. */
  static Set<Long> ids(Collection<ServiceState> states) {
    Set<Long> ids = new HashSet<>();
    for (ServiceState state : states) {
      for (ServicePort port : state.service().ports()) {
        for (IpFamily family : IpFamily.values()) {
          for (TrafficPolicy policy : TrafficPolicy.values()) {
            ids.add(id(state, port, family, policy));
          }
        }
      }
    }
    return ids;
  }

  private static long id(
      ServiceState state, ServicePort port, IpFamily family, TrafficPolicy policy) {
    return new ServicePortKey(state.key(), port.name(), port.protocol(), family, policy).statsId();
  }

  /** All that may be counted for single backends. */
  static Set<BackendStatsKey> backends(Collection<ServiceState> states) {
    Set<BackendStatsKey> keys = new HashSet<>();
    for (ServiceState state : states) {
      if (!state.service().options().backendMetrics()) {
        continue;
      }
      for (ServicePort port : state.service().ports()) {
        for (EndpointSlice slice : state.slices()) {
          for (EndpointPort target : slice.ports()) {
            if (target.name().equals(port.name()) && target.protocol() == port.protocol()) {
              for (Endpoint endpoint : slice.endpoints()) {
                Backend backend = new Backend(endpoint.address(), target.port());
                for (TrafficPolicy policy : TrafficPolicy.values()) {
                  keys.add(new BackendStatsKey(id(state, port, slice.family(), policy), backend));
                }
              }
            }
          }
        }
      }
    }
    return keys;
  }

  /** Waits for a sweep that is under way, at most a second. */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      notifyAll();
    }
    Workers.join(thread, Duration.ofSeconds(1));
  }
}
