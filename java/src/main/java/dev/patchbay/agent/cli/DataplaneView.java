// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.cli;

import dev.patchbay.agent.snapshot.Snapshot;
import dev.patchbay.compile.Compiler;
import dev.patchbay.compile.Rejection;
import dev.patchbay.compile.Reserved;
import dev.patchbay.model.Service;
import dev.patchbay.model.ServicePort;
import dev.patchbay.model.ServicePortKey;
import dev.patchbay.model.ServiceState;
import dev.patchbay.table.Backend;
import dev.patchbay.table.DesiredState;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.FrontendValue;
import dev.patchbay.table.ObservedState;
import dev.patchbay.table.ServiceRow;
import dev.patchbay.table.ServiceSettings;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the maps hold, with the names that the last snapshot gives to it. The maps decide what is
 * listed; a frontend without a name in the snapshot is listed without one.
 */
final class DataplaneView {
  /**
   * A frontend in the kernel.
   *
   * @param frontend the address, not a wildcard
   * @param key the Service port that owns it by the snapshot; null if unknown
   * @param service the Service; null if unknown
   * @param port the port of the Service; null if unknown
   * @param index into {@code services}
   * @param backends in the kernel's order
   * @param settings in the kernel
   */
  record Row(
      FrontendKey frontend,
      @Nullable ServicePortKey key,
      @Nullable Service service,
      @Nullable ServicePort port,
      int index,
      List<Backend> backends,
      ServiceSettings settings) {}

  private final ObservedState observed;
  private final @Nullable Snapshot snapshot;
  private final DesiredState desired;
  private final List<Rejection> rejections;
  private final Map<FrontendKey, ServicePortKey> owners = new HashMap<>();

  DataplaneView(ObservedState observed, @Nullable Snapshot snapshot) {
    this.observed = observed;
    this.snapshot = snapshot;
    if (snapshot == null) {
      desired = new DesiredState(Map.of(), Map.of());
      rejections = List.of();
    } else {
      Compiler compiler = new Compiler(snapshot.node());
      compiler.update(snapshot.cluster().services().values(), Set.of());
      desired = compiler.desired();
      rejections = compiler.rejections();
    }
    for (ServiceRow row : desired.services().values()) {
      for (FrontendKey frontend : row.frontends()) {
        owners.put(frontend, row.key());
      }
    }
  }

  ObservedState observed() {
    return observed;
  }

  @Nullable Snapshot snapshot() {
    return snapshot;
  }

  /** What the snapshot's Services compile to; empty without a snapshot. */
  DesiredState desired() {
    return desired;
  }

  List<Rejection> rejections() {
    return rejections;
  }

  /** The Service port that owns a frontend by the snapshot. */
  @Nullable ServicePortKey owner(FrontendKey frontend) {
    return owners.get(frontend);
  }

  @Nullable ServiceState state(ServicePortKey key) {
    return snapshot == null ? null : snapshot.cluster().services().get(key.service());
  }

  /** All frontends but wildcards: by Service, then by frontend; unknown ones last. */
  List<Row> rows() {
    List<Row> rows = new ArrayList<>();
    observed
        .frontends()
        .forEach(
            (frontend, value) -> {
              if (value instanceof FrontendValue.ToService(int index)
                  && !Reserved.is(frontend.address())) {
                rows.add(row(frontend, index));
              }
            });
    rows.sort(
        Comparator.comparing(Row::key, Comparator.nullsLast(Comparator.naturalOrder()))
            .thenComparing(Row::frontend));
    return rows;
  }

  private Row row(FrontendKey frontend, int index) {
    ServicePortKey key = owners.get(frontend);
    Service service = null;
    ServicePort port = null;
    if (key != null) {
      ServiceState state = state(key);
      service = state == null ? null : state.service();
      port = service == null ? null : port(service, key);
    }
    ObservedState.ObservedService entry = observed.services().get(index);
    List<Backend> backends = List.of();
    ServiceSettings settings = ServiceSettings.NONE;
    if (entry != null) {
      settings = entry.settings();
      int end = entry.word().base() + entry.word().count();
      if (end <= observed.capacity().backends()) {
        backends = observed.backends().read(entry.word().base(), entry.word().count());
      }
    }
    return new Row(frontend, key, service, port, index, backends, settings);
  }

  static @Nullable ServicePort port(Service service, ServicePortKey key) {
    for (ServicePort port : service.ports()) {
      if (port.name().equals(key.port()) && port.protocol() == key.protocol()) {
        return port;
      }
    }
    return null;
  }
}
