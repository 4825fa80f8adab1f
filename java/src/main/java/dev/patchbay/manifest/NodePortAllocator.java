// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.manifest.ManifestObject.ServiceObject;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.ServicePort;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Decides which Service has which node ports, health check node ports among them. A pure function
 * of the Services and of earlier decisions; the order in which Services come does not matter.
 *
 * <p>As in the API server a number belongs to one Service, for all protocols. Within a Service,
 * ports that share their number share their node port too ({@code 53/TCP} and {@code 53/UDP}), and
 * ports of different protocols may demand the same one.
 *
 * <p>Who gets a number: the Service that had it before, if it still wants it; then those that
 * demand it in their manifest, the oldest first, then by key; then those that left the choice open,
 * by key, each at the place that key and port hash to or the next free one.
 */
final class NodePortAllocator {
  /** Of how many Services that are gone node ports are remembered, in case they come back. */
  private static final int MAX_REMEMBERED = ClusterIpAllocator.MAX_REMEMBERED;

  /**
   * A demand that cannot be met.
   *
   * @param field the path of the field that asks for it
   * @param demanded the number demanded; 0 if none was, and the range is used up
   * @param owner who has it; null if the range is used up
   * @param kept the number the port has instead; 0 if none
   */
  record Refusal(String field, int demanded, @Nullable ObjectKey owner, int kept) {}

  /**
   * The decisions.
   *
   * @param ports by Service; Services without any are missing
   * @param remembered {@code ports}, and those of Services that are gone where still free
   * @param refusals by Service
   */
  record Result(
      Map<ObjectKey, NodePorts> ports,
      Map<ObjectKey, NodePorts> remembered,
      Map<ObjectKey, List<Refusal>> refusals) {}

  /** One number that a Service wants. */
  private static final class Want {
    final ServiceObject service;
    final String field;

    /** That which the number depends on where the choice is open. */
    final String name;

    /** The ports that it is for; empty for the health check. */
    final List<ServicePort> ports = new ArrayList<>(1);

    /** 0 where the choice is open. */
    final int demanded;

    /** What it had, 0 if nothing. */
    int before;

    /** What it gets, 0 as long as it has nothing. */
    int given;

    Want(ServiceObject service, String field, String name, int demanded) {
      this.service = service;
      this.field = field;
      this.name = name;
      this.demanded = demanded;
    }
  }

  private static final Comparator<Want> OLDEST_FIRST =
      Comparator.<Want>comparingLong(w -> w.service.written().createdMillis())
          .thenComparing(w -> w.service.key());

  private final PortRange range;
  private final Map<ObjectKey, NodePorts> earlier;
  private final List<Want> wants = new ArrayList<>();
  private final Map<Integer, Want> owners = new HashMap<>();
  private final Map<ObjectKey, List<Refusal>> refusals = new HashMap<>();

  private NodePortAllocator(PortRange range, Map<ObjectKey, NodePorts> earlier) {
    this.range = range;
    this.earlier = earlier;
  }

  /**
   * Decides.
   *
   * @param services those that want node ports, in any order
   * @param earlier what was remembered after the decision before
   * @param range the range of node ports
   */
  static Result allocate(
      Collection<ServiceObject> services, Map<ObjectKey, NodePorts> earlier, PortRange range) {
    List<ServiceObject> byKey = new ArrayList<>(services);
    byKey.sort(Comparator.comparing(ServiceObject::key));
    NodePortAllocator allocator = new NodePortAllocator(range, earlier);
    for (ServiceObject service : byKey) {
      allocator.collect(service);
    }
    allocator.decide();
    return allocator.result(byKey);
  }

  /** Finds out which numbers a Service wants, and which it had. */
  private void collect(ServiceObject service) {
    Map<Integer, Want> byPort = new HashMap<>();
    Map<Integer, Want> byDemand = new LinkedHashMap<>();
    List<ServicePort> ports = service.written().ports();
    for (int i = 0; i < ports.size(); i++) {
      ServicePort port = ports.get(i);
      if (port.nodePort() != 0) {
        Want want = byDemand.get(port.nodePort());
        if (want == null) {
          want = want(service, i, port.nodePort());
          byDemand.put(port.nodePort(), want);
        }
        want.ports.add(port);
        byPort.putIfAbsent(port.port(), want);
      }
    }
    List<Want> mine = new ArrayList<>(byDemand.values());
    for (int i = 0; i < ports.size(); i++) {
      ServicePort port = ports.get(i);
      if (port.nodePort() == 0 && service.opensNodePorts()) {
        Want want = byPort.get(port.port());
        if (want == null) {
          want = want(service, i, 0);
          byPort.put(port.port(), want);
          mine.add(want);
        }
        want.ports.add(port);
      }
    }
    Set<Integer> demanded = new HashSet<>(byDemand.keySet());
    NodePorts before = earlier.getOrDefault(service.key(), NodePorts.NONE);
    if (service.wantsHealthCheck()) {
      int healthCheck = service.written().healthCheckNodePort();
      demanded.add(healthCheck);
      Want want =
          new Want(
              service, "spec.healthCheckNodePort", service.key() + ":health-check", healthCheck);
      find(want, before.healthCheck(), demanded);
      mine.add(want);
    }
    for (boolean byName : new boolean[] {false, true}) {
      mine.forEach(want -> find(want, before, byName, demanded));
    }
    wants.addAll(mine);
  }

  private static Want want(ServiceObject service, int index, int demanded) {
    return new Want(
        service,
        "spec.ports[" + index + "].nodePort",
        service.key() + ":" + service.written().ports().get(index).port(),
        demanded);
  }

  /** Finds what ports had: known by their number, else by their name. */
  private void find(Want want, NodePorts before, boolean byName, Set<Integer> demanded) {
    for (ServicePort port : want.ports) {
      for (NodePorts.Entry entry : before.ports()) {
        boolean same = byName ? entry.name().equals(port.name()) : entry.port() == port.port();
        if (want.before == 0 && same) {
          find(want, entry.nodePort(), demanded);
        }
      }
    }
  }

  /** What the Service now demands for one port is not kept for another. */
  private void find(Want want, int nodePort, Set<Integer> demanded) {
    boolean free = nodePort == want.demanded || !demanded.contains(nodePort);
    want.before = free && range.contains(nodePort) ? nodePort : 0;
  }

  private void decide() {
    for (Want want : wants) {
      if (want.before != 0 && (want.demanded == 0 || want.demanded == want.before)) {
        give(want, want.before);
      }
    }
    List<Want> demanding = new ArrayList<>();
    for (Want want : wants) {
      if (want.demanded != 0 && want.given == 0) {
        demanding.add(want);
      }
    }
    demanding.sort(OLDEST_FIRST);
    List<Want> refused = new ArrayList<>(0);
    for (Want want : demanding) {
      if (!give(want, want.demanded)) {
        refused.add(want);
      }
    }
    for (Want want : refused) {
      int kept = want.before != 0 && give(want, want.before) ? want.before : 0;
      Want owner = owners.get(want.demanded);
      refuse(want, owner == null ? null : owner.service.key(), kept);
    }
    Places places = places(range);
    for (Want want : wants) {
      if (want.demanded == 0 && want.given == 0) {
        long place = places.choose(want.name, p -> !owners.containsKey((int) p));
        if (place < 0) {
          refuse(want, null, 0);
        } else {
          give(want, (int) place);
        }
      }
    }
  }

  private boolean give(Want want, int nodePort) {
    if (owners.putIfAbsent(nodePort, want) != null) {
      return false;
    }
    want.given = nodePort;
    return true;
  }

  private void refuse(Want want, @Nullable ObjectKey owner, int kept) {
    refusals
        .computeIfAbsent(want.service.key(), _ -> new ArrayList<>())
        .add(new Refusal(want.field, want.demanded, owner, kept));
  }

  /** A thirty-second at the beginning, 16 to 128 ports, is for people; none of a small range. */
  private static Places places(PortRange range) {
    int size = range.last() - range.first() + 1;
    int kept = size <= 16 ? 0 : Math.clamp(size / 32, 16, 128);
    return new Places(range.first(), range.first() + kept, range.last() + 1L);
  }

  private Result result(List<ServiceObject> services) {
    Map<ObjectKey, List<Want>> byService = new HashMap<>();
    for (Want want : wants) {
      if (want.given != 0) {
        byService.computeIfAbsent(want.service.key(), _ -> new ArrayList<>()).add(want);
      }
    }
    Map<ObjectKey, NodePorts> ports = new HashMap<>();
    byService.forEach((key, mine) -> ports.put(key, nodePorts(mine)));
    Map<ObjectKey, NodePorts> remembered = new HashMap<>(ports);
    Set<ObjectKey> present = new HashSet<>();
    services.forEach(service -> present.add(service.key()));
    List<ObjectKey> gone =
        earlier.keySet().stream().filter(key -> !present.contains(key)).sorted().toList();
    for (ObjectKey key : gone.subList(0, Math.min(gone.size(), MAX_REMEMBERED))) {
      NodePorts free = free(earlier.getOrDefault(key, NodePorts.NONE));
      if (!free.isEmpty()) {
        remembered.put(key, free);
      }
    }
    return new Result(ports, remembered, refusals);
  }

  private static NodePorts nodePorts(List<Want> wants) {
    List<NodePorts.Entry> entries = new ArrayList<>();
    int healthCheck = 0;
    List<ServicePort> order = wants.getFirst().service.written().ports();
    for (Want want : wants) {
      healthCheck = want.ports.isEmpty() ? want.given : healthCheck;
    }
    for (ServicePort port : order) {
      for (Want want : wants) {
        if (want.ports.contains(port)) {
          entries.add(new NodePorts.Entry(port.name(), port.port(), want.given));
        }
      }
    }
    return new NodePorts(entries, healthCheck);
  }

  private NodePorts free(NodePorts before) {
    return new NodePorts(
        before.ports().stream().filter(e -> !owners.containsKey(e.nodePort())).toList(),
        owners.containsKey(before.healthCheck()) ? 0 : before.healthCheck());
  }
}
