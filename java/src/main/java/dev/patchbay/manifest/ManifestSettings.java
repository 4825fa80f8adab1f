// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.model.Cidr;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Where the manifests are, and from what the embedded control plane assigns.
 *
 * @param directory read flat: {@code *.yaml}, {@code *.yml}, {@code *.json}, without names that
 *     begin with a dot; may be a symbolic link, also one that is switched later
 * @param stateDirectory where {@code allocations.json} is kept; null: assignments are neither read
 *     nor kept, as {@code validate} wants it. Created when the first assignment is kept
 * @param serviceCidrs the ranges of cluster IPs, at most one per family, at least one; the first
 *     gives the default family
 * @param nodePorts the range in which node ports must lie
 */
public record ManifestSettings(
    Path directory, @Nullable Path stateDirectory, List<Cidr> serviceCidrs, PortRange nodePorts) {

  /** The ranges used unless told otherwise: {@code 10.96.0.0/16} and {@code fd00:10:96::/112}. */
  public static final List<Cidr> DEFAULT_SERVICE_CIDRS =
      List.of(new Cidr(IpAddress.of("10.96.0.0"), 16), new Cidr(IpAddress.of("fd00:10:96::"), 112));

  public ManifestSettings {
    serviceCidrs = List.copyOf(serviceCidrs);
    Set<IpFamily> families = new HashSet<>();
    if (serviceCidrs.isEmpty() || !serviceCidrs.stream().allMatch(c -> families.add(c.family()))) {
      throw new IllegalArgumentException(
          "service ranges " + serviceCidrs + ": one or two are needed, one per address family");
    }
  }
}
