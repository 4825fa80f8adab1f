// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.testkit;

import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Protocol;
import dev.patchbay.model.ServicePortKey;
import dev.patchbay.table.Backend;
import dev.patchbay.table.DesiredChange;
import dev.patchbay.table.DesiredState;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.FrontendValue;
import dev.patchbay.table.Scope;
import dev.patchbay.table.ServiceRow;
import dev.patchbay.table.ServiceSettings;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Short ways to write rows down. */
public final class Rows {
  private Rows() {}

  /** The IPv4 TCP port of a Service in the default namespace. */
  public static ServicePortKey key(String name) {
    return new ServicePortKey(new ObjectKey("default", name), "", Protocol.TCP, IpFamily.IPV4);
  }

  /** {@code "10.96.0.1:80"}, TCP. */
  public static FrontendKey frontend(String address) {
    int colon = address.lastIndexOf(':');
    return new FrontendKey(
        IpAddress.of(address.substring(0, colon).replaceAll("[\\[\\]]", "")),
        Integer.parseInt(address.substring(colon + 1)),
        Protocol.TCP,
        Scope.INTERNAL);
  }

  /** {@code "10.1.0.1:8080"}. */
  public static Backend backend(String address) {
    FrontendKey parsed = frontend(address);
    return new Backend(parsed.address(), parsed.port());
  }

  /** {@code count} backends from {@code 10.1.0.0:8080} on. */
  public static List<Backend> backends(int first, int count) {
    List<Backend> backends = new ArrayList<>();
    for (int i = first; i < first + count; i++) {
      backends.add(new Backend(IpAddress.ofIpv4(0x0a01_0000 + i), 8080));
    }
    return backends;
  }

  /** The row of {@link #key} with one frontend and without settings. */
  public static ServiceRow row(String name, String frontend, List<Backend> backends) {
    return row(name, List.of(frontend(frontend)), backends, ServiceSettings.NONE);
  }

  /** The row of {@link #key}; frontends and backends in any order. */
  public static ServiceRow row(
      String name, List<FrontendKey> frontends, List<Backend> backends, ServiceSettings settings) {
    return new ServiceRow(
        key(name),
        frontends.stream().sorted().toList(),
        backends.stream().sorted().toList(),
        settings);
  }

  public static DesiredState desired(ServiceRow... rows) {
    Map<ServicePortKey, ServiceRow> services = new HashMap<>();
    for (ServiceRow row : rows) {
      services.put(row.key(), row);
    }
    return new DesiredState(services, Map.of());
  }

  /** Only these rows change. */
  public static DesiredChange upsert(ServiceRow... rows) {
    return new DesiredChange(List.of(rows), Set.of(), Map.of(), Set.of());
  }

  /** Only these rows go. */
  public static DesiredChange remove(String... names) {
    Set<ServicePortKey> keys = new HashSet<>();
    for (String name : names) {
      keys.add(key(name));
    }
    return new DesiredChange(List.of(), keys, Map.of(), Set.of());
  }

  /** The step from one state to another. */
  public static DesiredChange change(DesiredState from, DesiredState to) {
    List<ServiceRow> upserted = new ArrayList<>();
    to.services()
        .forEach(
            (key, row) -> {
              if (!row.equals(from.services().get(key))) {
                upserted.add(row);
              }
            });
    return new DesiredChange(
        upserted,
        without(from.services().keySet(), to.services().keySet()),
        changed(from.wildcards(), to.wildcards()),
        without(from.wildcards().keySet(), to.wildcards().keySet()));
  }

  private static Map<FrontendKey, FrontendValue> changed(
      Map<FrontendKey, FrontendValue> from, Map<FrontendKey, FrontendValue> to) {
    Map<FrontendKey, FrontendValue> changed = new HashMap<>(to);
    changed.entrySet().removeAll(from.entrySet());
    return changed;
  }

  private static <T> Set<T> without(Set<T> all, Set<T> some) {
    Set<T> rest = new HashSet<>(all);
    rest.removeAll(some);
    return rest;
  }
}
