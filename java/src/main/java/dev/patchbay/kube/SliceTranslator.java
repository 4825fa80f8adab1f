// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import dev.patchbay.kube.KubeObject.SliceObject;
import dev.patchbay.model.Endpoint;
import dev.patchbay.model.EndpointPort;
import dev.patchbay.model.EndpointSlice;
import dev.patchbay.model.Hints;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Protocol;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Turns EndpointSlices of the API into ours, by the rules of kube-proxy's {@code
 * EndpointSliceCache}: only the first address of an endpoint counts, absent conditions mean ready
 * and serving, a port without a name or a number is of no use.
 *
 * <p>Stricter than kube-proxy in one point: an address that the API server refuses in new slices,
 * but leaves in old ones (unspecified, loopback, link-local), is not used: to a client that is
 * rewritten at connect time, a loopback address would mean itself. Neither is one that it lets
 * through and nobody can connect to (multicast, broadcast).
 *
 * <p>Not thread-safe.
 */
final class SliceTranslator {
  /** Above this many the pool is begun anew. */
  private static final int POOL_LIMIT = 10_000;

  /** Most endpoints of a zone have the same hints. */
  private final Map<Hints, Hints> hints = new HashMap<>();

  /** And most slices the same ports. */
  private final Map<List<EndpointPort>, List<EndpointPort>> ports = new HashMap<>();

  SliceObject translate(ApiSlice from) {
    Findings findings = from.meta.findings;
    ObjectKey key = from.meta.key();
    ObjectKey service =
        from.meta.label.isEmpty() ? null : new ObjectKey(key.namespace(), from.meta.label);
    IpFamily family = family(from, findings);
    EndpointSlice slice =
        family == null || service == null
            ? null
            : new EndpointSlice(
                key, family, ports(from, findings), endpoints(from, family, findings));
    return new SliceObject(key, service, slice, triggerMillis(from.meta), findings.list());
  }

  private static long triggerMillis(ApiMeta meta) {
    return Timestamps.millis(meta.annotations.getOrDefault(ApiMeta.TRIGGER_TIME, ""));
  }

  private static @Nullable IpFamily family(ApiSlice from, Findings findings) {
    switch (from.addressType) {
      case "IPv4" -> {
        return IpFamily.IPV4;
      }
      case "IPv6" -> {
        return IpFamily.IPV6;
      }
      case "FQDN" -> findings.note("addressType", "FQDN is nothing to balance over; slice ignored");
      default ->
          findings.error("addressType", "\"" + from.addressType + "\" is unknown; slice ignored");
    }
    return null;
  }

  private List<EndpointPort> ports(ApiSlice from, Findings findings) {
    if (from.ports.isEmpty() && !from.endpoints.isEmpty()) {
      findings.warning("ports", "is empty, so nothing leads to its endpoints");
    }
    List<EndpointPort> all = new ArrayList<>(from.ports.size());
    for (int i = 0; i < from.ports.size(); i++) {
      ApiSlice.Port port = from.ports.get(i);
      String name = port.name;
      Integer number = port.port;
      Optional<Protocol> protocol = Protocols.parse(port.protocol);
      if (name == null) {
        findings.error("ports[" + i + "].name", "is null; port ignored");
      } else if (number == null) {
        findings.error(
            "ports[" + i + "].port",
            "is missing, and \"all ports\" cannot be served; port ignored");
      } else if (number < 1 || number > 65535) {
        findings.error("ports[" + i + "].port", number + " is no port number; port ignored");
      } else if (protocol.isEmpty()) {
        findings.error(
            "ports[" + i + "].protocol", "\"" + port.protocol + "\" is unknown; port ignored");
      } else {
        all.add(new EndpointPort(name, protocol.get(), number));
      }
    }
    if (ports.size() >= POOL_LIMIT) {
      ports.clear();
    }
    List<EndpointPort> fixed = List.copyOf(all);
    List<EndpointPort> known = ports.putIfAbsent(fixed, fixed);
    return known == null ? fixed : known;
  }

  private List<Endpoint> endpoints(ApiSlice from, IpFamily family, Findings findings) {
    List<Endpoint> endpoints = new ArrayList<>(from.endpoints.size());
    for (int i = 0; i < from.endpoints.size(); i++) {
      ApiSlice.Endpoint endpoint = from.endpoints.get(i);
      IpAddress address = address(endpoint, i, family, findings);
      if (address != null) {
        endpoints.add(
            new Endpoint(
                address,
                endpoint.ready == null || endpoint.ready,
                endpoint.serving == null || endpoint.serving,
                endpoint.terminating != null && endpoint.terminating,
                endpoint.nodeName,
                endpoint.target,
                hints(endpoint)));
      }
    }
    return endpoints;
  }

  private static @Nullable IpAddress address(
      ApiSlice.Endpoint endpoint, int index, IpFamily family, Findings findings) {
    if (endpoint.addresses == 0) {
      findings.error("endpoints[" + index + "].addresses", "is empty; endpoint ignored");
      return null;
    }
    if (endpoint.addresses > 1) {
      findings.warning(
          "endpoints[" + index + "].addresses",
          "only the first of " + endpoint.addresses + " is used, as by kube-proxy");
    }
    Optional<LenientAddress> parsed = LenientAddress.parse(endpoint.address);
    String problem;
    if (parsed.isEmpty()) {
      problem = "\"" + endpoint.address + "\" is no IP address";
    } else {
      IpAddress address = parsed.get().address();
      String special = special(address);
      if (address.family() != family) {
        problem = "\"" + endpoint.address + "\" is no " + family + " address, as addressType says";
      } else if (!special.isEmpty()) {
        problem = address + " is " + special;
      } else {
        if (!parsed.get().canonical()) {
          findings.warning(
              "endpoints[" + index + "].addresses[0]",
              "\"" + endpoint.address + "\" is taken for " + address);
        }
        return address;
      }
    }
    findings.error("endpoints[" + index + "].addresses[0]", problem + "; endpoint ignored");
    return null;
  }

  /** What kind of address no other host can have; empty for all others. */
  private static String special(IpAddress address) {
    if (address.isUnspecified()) {
      return "the unspecified address";
    }
    if (address.family() == IpFamily.IPV4) {
      int bits = (int) address.low();
      int first = bits >>> 24;
      if (first == 127) {
        return "a loopback address";
      }
      if (bits >>> 16 == (169 << 8 | 254)) {
        return "a link-local address";
      }
      if (bits == -1) {
        return "the broadcast address";
      }
      return first >= 224 && first < 240 ? "a multicast address" : "";
    }
    if (address.high() == 0 && address.low() == 1) {
      return "a loopback address";
    }
    int first = (int) (address.high() >>> 48);
    if ((first & 0xffc0) == 0xfe80) {
      return "a link-local address";
    }
    return first >>> 8 == 0xff ? "a multicast address" : "";
  }

  private Hints hints(ApiSlice.Endpoint endpoint) {
    if (endpoint.forZones.isEmpty() && endpoint.forNodes.isEmpty()) {
      return Hints.NONE;
    }
    if (hints.size() >= POOL_LIMIT) {
      hints.clear();
    }
    Hints fresh = new Hints(endpoint.forZones, endpoint.forNodes);
    Hints known = hints.putIfAbsent(fresh, fresh);
    return known == null ? fresh : known;
  }
}
