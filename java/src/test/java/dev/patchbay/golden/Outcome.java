// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.golden;

import dev.patchbay.compile.Compiler;
import dev.patchbay.inspect.Canonical;
import dev.patchbay.inspect.Canonical.Balanced;
import dev.patchbay.inspect.Canonical.Broken;
import dev.patchbay.inspect.Canonical.NodeAddress;
import dev.patchbay.inspect.Canonical.Refused;
import dev.patchbay.inspect.Canonical.Target;
import dev.patchbay.model.ClusterSnapshot;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.Service;
import dev.patchbay.model.ServicePortKey;
import dev.patchbay.model.ServiceState;
import dev.patchbay.model.ServiceType;
import dev.patchbay.reconcile.Reconciler;
import dev.patchbay.table.Backend;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.ServiceRow;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * What follows from manifests, in words: each Service with its frontends as the maps have them and
 * what was noted about it; then everything that somebody ought to be told.
 */
final class Outcome {
  private final ClusterSnapshot cluster;
  private final Compiler compiler;
  private final Reconciler reconciler;
  private final Canonical maps;
  private final Map<FrontendKey, ServicePortKey> owners = new HashMap<>();
  private final Set<FrontendKey> printed = new HashSet<>();
  private final StringBuilder text = new StringBuilder();

  Outcome(ClusterSnapshot cluster, Compiler compiler, Reconciler reconciler, Canonical maps) {
    this.cluster = cluster;
    this.compiler = compiler;
    this.reconciler = reconciler;
    this.maps = maps;
    for (ServiceRow row : compiler.desired().services().values()) {
      row.frontends().forEach(frontend -> owners.put(frontend, row.key()));
    }
  }

  @Override
  public String toString() {
    cluster.services().values().stream()
        .sorted(Comparator.comparing(ServiceState::key))
        .forEach(this::service);
    new TreeMap<>(maps.frontends())
        .forEach(
            (key, target) -> {
              if (!printed.contains(key)) {
                String whose = target instanceof NodeAddress ? "" : "nobody's: ";
                line(whose + key + " -> " + words(target));
              }
            });
    cluster.problems().stream()
        .filter(problem -> !ManifestFeed.isOwn(problem))
        .forEach(p -> line(p.severity().name().toLowerCase(Locale.ROOT) + ": " + p));
    compiler.rejections().forEach(r -> line("not granted: " + r.who() + ": " + r.sentence()));
    new TreeMap<>(reconciler.refused()).forEach((k, v) -> line("does not fit: " + k + ": " + v));
    return text.isEmpty() ? "nothing\n" : text.toString();
  }

  private void service(ServiceState state) {
    Service service = state.service();
    line(service.key() + " " + service.type() + addresses(service));
    new TreeMap<>(maps.frontends())
        .forEach(
            (key, target) -> {
              if (belongs(key, service) && printed.add(key)) {
                line("  " + key + name(key) + " -> " + words(target));
              }
            });
    state.notes().forEach(note -> line("  note: " + note));
  }

  private static String addresses(Service service) {
    if (service.clusterIps().isEmpty()) {
      return service.type() == ServiceType.EXTERNAL_NAME ? "" : " without address";
    }
    return service.clusterIps().stream()
        .map(IpAddress::toString)
        .collect(Collectors.joining(", ", " ", ""));
  }

  private boolean belongs(FrontendKey key, Service service) {
    ServicePortKey owner = owners.get(key);
    return owner == null
        ? key.isWildcard() && service.clusterIps().contains(key.address())
        : owner.service().equals(service.key());
  }

  private String name(FrontendKey key) {
    ServicePortKey owner = owners.get(key);
    return owner == null || owner.port().isEmpty() ? "" : " (" + owner.port() + ")";
  }

  private static String words(Target target) {
    return switch (target) {
      case Refused() -> "refused";
      case NodeAddress() -> "node address";
      case Broken(String why) -> "broken: " + why;
      case Balanced(List<Backend> backends, var settings) ->
          (backends.isEmpty()
                  ? "no endpoint"
                  : backends.stream().map(Backend::toString).collect(Collectors.joining(", ")))
              + (settings.affinitySeconds() > 0
                  ? "; a client stays for " + settings.affinitySeconds() + " s"
                  : "")
              + (settings.policyLocal() ? "; local only" : "");
    };
  }

  private void line(String line) {
    text.append(line).append('\n');
  }
}
